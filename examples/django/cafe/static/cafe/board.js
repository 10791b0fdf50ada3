// The live list: orders, as JSON, and the menu, as Django's XML. Two feeds, one connection.

import { byId, connect, el, save, show } from "./live.js";

const NEXT = { new: ["making", "Start"], making: ["ready", "Ready"] };

function say(text, bad = false) {
  byId("outcome").textContent = text;
  byId("outcome").classList.toggle("bad", bad);
}

function button(text, url, fields) {
  const element = el("button", { type: "button" }, text);
  element.addEventListener("click", () => save(url, fields).catch((error) => say(error.message, true)));
  return element;
}

/** @param {{ id: string, value: { pk: number, what: string, whom: string, note: string, status: string, saved_at: string } }} item */
function drawOrder({ id, value: order }, element) {
  element.dataset.status = order.status;
  const [next, label] = NEXT[order.status] ?? [];
  return [
    el("h3", {}, order.what),
    el("p", {}, [order.whom, order.note].filter(Boolean).join(", ")),
    el("p", { class: "meta" }, `${id}, ${order.status}, ${new Date(order.saved_at).toLocaleTimeString()}`),
    el(
      "div",
      { class: "actions" },
      next ? button(label, `/orders/${id}/`, { status: next }) : "",
      button("Delete", `/orders/${id}/delete/`, {}),
    ),
  ];
}

/** @param {{ id: string, value: { fields: { name: string, price: string, sold_out: boolean } } }} item */
function drawDish({ id, value: { fields: dish } }, element) {
  element.classList.toggle("out", dish.sold_out);
  return [
    el("h3", {}, dish.name),
    el("p", { class: "meta" }, dish.sold_out ? "sold out" : dish.price),
    el("div", { class: "actions" }, button(dish.sold_out ? "Back" : "Sold out", `/dishes/${id}/`, { sold_out: !dish.sold_out })),
  ];
}

byId("order").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  try {
    const { saved } = await save(form.action, form);
    say(saved.length === 1 ? `Order ${saved[0]} is saved.` : `Orders ${saved.join(", ")} are saved.`);
    form.reset();
  } catch (error) {
    say(error.message, true);
  }
});

try {
  const client = await connect();
  await Promise.all([
    show(client, "/cafe/Order", byId("orders"), drawOrder, { changed: (count) => (byId("count").textContent = count) }),
    show(client, "/cafe/Dish", byId("menu"), drawDish, { ascending: true }),
  ]);
} catch (error) {
  byId("trouble").textContent = `There is no live list: ${error.message}`;
}
