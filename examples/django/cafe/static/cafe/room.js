// The room variant: what is saved is said in a room, by the site, which is in it; whoever is there may answer.

import { byId, connect, el, settings } from "./live.js";

const shown = new Set();

function add(room, { nick, body, id, delayed }) {
  // What the site had to say twice has the same id.
  if (id !== undefined && shown.has(id)) return;
  shown.add(id);
  const log = byId("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  // The room belongs to the site: nobody else can be its owner, whatever they call themselves.
  const bySite = !delayed && room.occupants.get(nick)?.affiliation === "owner";
  log.append(el("li", bySite ? { class: "announcement" } : {}, el("span", { class: "nick" }, nick ?? "the room"), body));
  if (log.childElementCount > 500) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

try {
  const client = await connect();
  const nick = `Guest ${crypto.getRandomValues(new Uint16Array(1))[0]}`;
  const room = await client.muc.join(settings.room, nick, { history: { maxstanzas: 20 } });
  const count = () => (byId("people").textContent = `${room.occupants.size} are here, you as ${room.nick}.`);
  room.on("message", (message) => add(room, message));
  for (const type of ["join", "leave", "nick", "rejoin"]) room.on(type, count);
  room.on("out", ({ reason }) => (byId("trouble").textContent = `You are no longer in the room: ${reason}.`));
  room.on("error", (error) => (byId("trouble").textContent = error.message));
  count();
  byId("log").dataset.live = "true";
  byId("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { value } = byId("text");
    byId("text").value = "";
    await room.send(value).catch((error) => (byId("trouble").textContent = `Not said: ${error.message}`));
  });
} catch (error) {
  byId("trouble").textContent = `There is no room: ${error.message}`;
}
