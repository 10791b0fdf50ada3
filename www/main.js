// The page: one connection, and the views that live on it.

import { Board } from "./board.js";
import { byId, el } from "./dom.js";
import { Inspector } from "./inspector.js";
import { Link } from "./link.js";
import { RoomView } from "./room.js";

const VIEWS = ["orders", "room"];

function showViews(room) {
  const show = () => {
    const wanted = VIEWS.find((name) => `#${name}` === location.hash) ?? VIEWS[0];
    for (const name of VIEWS) {
      byId(name).hidden = name !== wanted;
      if (name === wanted) byId(`to-${name}`).setAttribute("aria-current", "page");
      else byId(`to-${name}`).removeAttribute("aria-current");
    }
    document.title = `${wanted === "room" ? "Room" : "Order board"} · epode`;
    if (wanted === "room") room.shown();
    scrollTo(0, 0);
  };
  addEventListener("hashchange", () => location.hash !== "#main" && show());
  show();
}

function offerCommand() {
  const command = `python3 www/publisher.py --url ${location.origin} random --every 2`;
  byId("command").textContent = command;
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      byId("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("command"));
      byId("copy").textContent = "Selected";
    }
    setTimeout(() => (byId("copy").textContent = "Copy"), 2000);
  });
}

async function configuration() {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`/config.json: HTTP ${response.status}`);
  return response.json();
}

try {
  const config = await configuration();
  const room = new RoomView(config);
  const link = new Link(config);
  link.add(new Inspector());
  link.add(new Board(config));
  link.add(room);
  showViews(room);
  offerCommand();
  await link.connect();
} catch (error) {
  // Neither the configuration nor the module: nothing works, and the page says so.
  console.error(error);
  byId("trouble").replaceChildren(el("div", { class: "message" }, el("p", {}, el("strong", {}, "The demo did not start."), ` ${error.message} Start it with npm run demo, and reload.`)));
}
