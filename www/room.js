// The room: joining with a nick, who is there, what is said, the subject, leaving. It stays joined while another view
// is shown. In a session that took the place of a lost one the client enters it again by itself; after connecting anew we do.

import { byId, clock, el, stickToEnd, timeOf } from "./dom.js";

const HISTORY = 20;
/** How many lines are kept on the page. */
const LINES = 300;
/** After this time it is said that the server is waited for: `ms`. */
const SLOW = 800;

const NAMES = ["Ada", "Basil", "Clio", "Dora", "Edgar", "Fern", "Gus", "Hazel", "Ines", "Juno", "Kit", "Lou", "Mina", "Noor", "Otto", "Pia"];

const WHY = {
  left: "left",
  kicked: "was sent out",
  banned: "was banned",
  removed: "was removed",
  shutdown: "went: the room is closing",
  error: "lost the connection",
  disconnected: "left meanwhile",
};

/** The same nick has the same colour on every page. */
function hueOf(nick) {
  let hash = 0;
  for (const character of nick) hash = (hash * 37 + character.codePointAt(0)) % 10_007;
  return hash % 8;
}

const face = (nick) => el("span", { class: `face hue-${hueOf(nick)}`, "aria-hidden": "true" }, [...nick][0]?.toUpperCase() ?? "?");

export class RoomView {
  #config;
  #client;
  #room;
  /** The nick to come back with. */
  #wanted;
  #last;
  #unread = 0;
  #end = stickToEnd(byId("log"));

  constructor(config) {
    this.#config = config;
    byId("nick").value = NAMES[Math.floor(Math.random() * NAMES.length)];
    byId("room-lede").textContent = this.#address;
    byId("join").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#join(byId("nick").value.trim(), true);
    });
    byId("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    byId("leave").addEventListener("click", () => this.#leave());
    byId("change-subject").addEventListener("click", () => this.#editSubject(true));
    byId("cancel-subject").addEventListener("click", () => this.#editSubject(false));
    byId("subject-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#setSubject();
    });
    byId("subject-form").addEventListener("keydown", (event) => event.key === "Escape" && this.#editSubject(false));
  }

  get #address() {
    return `counter@${this.#config.muc}`;
  }

  /** The view came into sight. */
  shown() {
    this.#unread = 0;
    this.#countUnread();
    this.#end.stick(true);
  }

  online(client) {
    this.#client = client;
    if (this.#wanted) this.#join(this.#wanted);
  }

  offline() {
    this.#client = undefined;
    if (!this.#room) return;
    this.#room = undefined;
    this.#line("The connection is lost, and with it the room.");
    this.#enable(false);
  }

  // ── coming and going ──────────────────────────────────────────────────────────────────────────────────────────────

  async #join(nick, asked = false) {
    const problem = byId("join-problem");
    if (!nick) return;
    if (!this.#client) {
      problem.textContent = "There is no connection. Connect first.";
      return;
    }
    problem.textContent = "";
    byId("enter").disabled = true;
    try {
      const room = await this.#client.muc.join(this.#address, nick, { history: { maxstanzas: HISTORY } });
      this.#entered(room);
      if (asked) byId("message").focus();
    } catch (error) {
      this.#wanted = undefined;
      this.#outside();
      if (error.condition === "conflict") {
        const other = suggestion(nick);
        byId("nick").value = other;
        problem.textContent = `There is a ${nick} already. How about ${other}?`;
      } else {
        problem.textContent = `The room did not let you in: ${error.message}`;
      }
      if (asked) byId("nick").select();
    } finally {
      byId("enter").disabled = false;
    }
  }

  #entered(room) {
    this.#room = room;
    this.#wanted = room.nick;
    this.#last = undefined;
    byId("log").replaceChildren();
    byId("join").hidden = true;
    byId("talk").hidden = false;
    this.#enable(true);
    // What was there when we came is handed over first, kind by kind; what is news is told in a line of its own.
    let isNews = false;
    room.on("message", (message) => this.#message(message));
    room.on("subject", ({ subject, nick }) => {
      this.#showSubject(subject);
      if (nick && isNews) this.#line(`${nick} set the subject.`);
    });
    room.on("join", (occupant) => {
      if (isNews && !occupant.self) this.#line(`${occupant.nick} came in.`);
      this.#people();
    });
    room.on("leave", ({ occupant, reason, text }) => {
      this.#line(`${occupant.nick} ${WHY[reason] ?? "left"}${text ? `: ${text}` : ""}.`);
      this.#people();
    });
    room.on("nick", ({ from, to, self }) => {
      if (self) this.#wanted = to;
      this.#line(`${from} is now ${to}.`);
      this.#people();
    });
    room.on("occupant", () => this.#people());
    room.on("rejoin", () => {
      this.#line(`You are in again, as ${room.nick}, after a lost session.`);
      this.#people();
    });
    room.on("error", (error) => this.#sayProblem(`The room refused it: ${error.message}`));
    room.on("out", ({ reason, text }) => this.#out(reason, text));
    this.#showSubject(room.subject);
    this.#people();
    setTimeout(() => {
      isNews = true;
      if (room === this.#room) this.#line(`You are in, as ${room.nick}.`);
    });
  }

  #out(reason, text) {
    if (reason === "disconnected") return; // told by offline()
    this.#room = undefined;
    this.#wanted = undefined;
    this.#outside();
    const how = { refused: "You could not come back into the room", kicked: "You were sent out of the room", banned: "You were banned from the room", destroyed: "The room is no more" }[reason];
    byId("join-problem").textContent = `${how ?? "You are out of the room"}${text ? `: ${text}` : ""}.`;
  }

  async #leave() {
    const room = this.#room;
    this.#room = undefined;
    this.#wanted = undefined;
    this.#outside();
    byId("nick").focus();
    try {
      await room?.leave();
    } catch (error) {
      byId("join-problem").textContent = error.message;
    }
  }

  #outside() {
    byId("join").hidden = false;
    byId("talk").hidden = true;
    byId("join-problem").textContent = "";
    byId("log").replaceChildren();
    this.#unread = 0;
    this.#countUnread();
  }

  /** Without a connection one may read, not write. */
  #enable(yes) {
    for (const id of ["say", "room-actions"]) byId(id).inert = !yes;
    byId("talk").classList.toggle("stale", !yes);
    if (!yes) this.#editSubject(false);
  }

  // ── what is said ──────────────────────────────────────────────────────────────────────────────────────────────────

  #message({ nick, body, time, receivedAt, delayed, own, private: alone }) {
    if (!body) return;
    const when = time ?? receivedAt;
    const name = nick ?? "The room";
    const previous = this.#last;
    const follows = previous && previous.name === name && previous.alone === alone && when - previous.when < 180_000;
    this.#last = { name, when, alone };
    this.#append(
      el(
        "div",
        { class: `said${own ? " own" : ""}${follows ? " follows" : ""}${delayed ? " history" : ""}` },
        !follows && face(name),
        el(
          "p",
          {},
          el("span", { class: follows ? "who hidden" : `who hue-${hueOf(name)}` }, name, alone && " (to you alone)", follows && ": "),
          el("span", { class: "when" }, timeOf(when)),
          el("span", { class: "body" }, body),
        ),
      ),
      own,
    );
    if (!delayed && !own && byId("room").hidden) {
      this.#unread += 1;
      this.#countUnread();
    }
  }

  #line(text) {
    this.#last = undefined;
    this.#append(el("p", { class: "event" }, `${text} `, el("span", { class: "when" }, clock(new Date()))));
  }

  #append(element, force) {
    const log = byId("log");
    log.append(element);
    while (log.childElementCount > LINES) log.firstElementChild.remove();
    this.#end.stick(force);
  }

  async #say() {
    const input = byId("message");
    const text = input.value.trim();
    if (!text || !this.#room) return;
    this.#sayProblem("");
    input.value = "";
    const slow = setTimeout(() => this.#sayProblem("Waiting for the server…", false), this.#client.status === "online" ? SLOW : 0);
    try {
      await this.#room.send(text);
      this.#sayProblem("");
    } catch (error) {
      if (!input.value) input.value = text;
      this.#sayProblem(error.code === "unknown" ? "The connection was lost, and it may not have been heard. Send it again if it is not above." : `Not sent: ${error.message}`);
    } finally {
      clearTimeout(slow);
    }
  }

  #sayProblem(text, isProblem = true) {
    const outcome = byId("say-problem");
    outcome.textContent = text;
    outcome.classList.toggle("calm", !isProblem);
  }

  #countUnread() {
    byId("unread").textContent = this.#unread;
    byId("unread").hidden = this.#unread === 0;
  }

  // ── the subject, and who is here ──────────────────────────────────────────────────────────────────────────────────

  #showSubject(subject) {
    byId("subject").textContent = subject || "none yet";
    byId("subject").classList.toggle("none", !subject);
  }

  #editSubject(open) {
    const form = byId("subject-form");
    const had = form.contains(document.activeElement);
    form.hidden = !open;
    form.previousElementSibling.hidden = open;
    byId("room-actions").hidden = open;
    if (open) {
      byId("new-subject").value = this.#room?.subject ?? "";
      byId("new-subject").select();
    } else if (had) byId("change-subject").focus();
  }

  async #setSubject() {
    try {
      await this.#room?.setSubject(byId("new-subject").value.trim());
      this.#editSubject(false);
    } catch (error) {
      this.#sayProblem(`The subject was not set: ${error.message}`);
    }
  }

  #people() {
    const occupants = [...(this.#room?.occupants.values() ?? [])].sort((a, b) => a.nick.localeCompare(b.nick));
    byId("people-count").textContent = occupants.length;
    byId("people").replaceChildren(
      ...occupants.map(({ nick, self, role, affiliation }) =>
        el("li", {}, face(nick), el("span", { class: "name" }, nick), el("span", { class: "part" }, [self && "you", affiliation === "owner" ? "owner" : role === "moderator" && "moderator"].filter(Boolean).join(", "))),
      ),
    );
  }
}

/** Another nick, when this one is taken: Ada 2, Ada 3. */
function suggestion(nick) {
  const [, name, number] = /^(.*?)(?: (\d+))?$/.exec(nick);
  return `${name} ${Number(number ?? 1) + 1}`;
}
