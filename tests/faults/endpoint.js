// One end of the conversation: says numbered messages, notes what became of each, and what it heard. The same in the page
// under test and, for its partner, in Node.

export class Endpoint {
  /** What the other end said, by number, in the order it arrived. */
  heard = [];
  /** Which of it the server had put aside. */
  late = [];
  /** What became of each message of ours: "delivered", or the code of the error. */
  fates = [];
  /** When it was told of something that it could not read, in milliseconds since 1970. */
  unreadable = [];
  /** Which of ours came back as errors. */
  returned = [];
  said = 0;
  settled = 0;
  /** Where to write to it. */
  address;
  /** Is told of each change of its status. */
  note;
  /** How often the session went on, how often a new one began, and why it ended for good. */
  resumed = 0;
  renewed = 0;
  ended = [];
  #wasOnline = false;
  #over = false;
  #online;

  constructor({ Client, xml }, service, account) {
    this.xml = xml;
    this.client = new Client(service, account);
    this.client.addHandler((stanza) => this.#hear(stanza), { name: "message" });
    this.client.on("status", (change) => this.#live(change));
    this.client.on("error", ({ code, message }) => {
      this.note?.(`error ${code} ${message}`);
      // A <message> element, or one that broke off within its name.
      if (code === "bad-xml" && !/: a <(?!message>)/.test(message)) this.unreadable.push(Date.now());
    });
  }

  /** Resolves when it is online for the first time. */
  start() {
    return new Promise((resolve) => {
      this.#online = resolve;
      this.#connect();
    });
  }

  async end() {
    this.#over = true;
    await this.client.disconnect();
  }

  #connect() {
    this.client.connect().catch(() => {}); // told as `offline`
  }

  #live({ status, resumed, attempt, error }) {
    this.note?.([status, resumed, attempt, error?.message].filter((one) => one !== undefined).join(" "));
    if (status === "online") {
      if (resumed !== undefined && this.#wasOnline) {
        if (resumed) this.resumed += 1;
        else this.renewed += 1;
      }
      this.#wasOnline = true;
      // Before its address is told to anybody it hears itself: by then its presence has arrived, and the session can be resumed.
      if (!resumed) {
        this.address = undefined;
        this.client.send(this.xml`<message to="${this.client.jid}" id="self"/>`);
      }
    }
    if (status !== "offline" || this.#over) return;
    // Once online, it comes back by itself.
    if (this.#wasOnline) this.ended.push(error?.code);
    setTimeout(() => this.#over || this.#connect(), 300);
  }

  #hear(stanza) {
    if (stanza.id === "self" && stanza.from === this.client.jid) {
      this.address = stanza.from;
      return this.#online();
    }
    const number = Number(stanza.id?.slice(1));
    if (stanza.type === "error") this.returned.push(number);
    else if (stanza.id?.startsWith("m")) {
      this.heard.push(number);
      if (stanza.child("delay")) this.late.push(number);
    }
  }

  /** Says so many more, each to `to`; every tenth is a long one. */
  say(count, to) {
    for (const end = this.said + count; this.said < end; this.said += 1) {
      const number = this.said;
      const text = "something of the length that people say to one another ".repeat(number % 10 === 9 ? 40 : 1);
      const fate = (code) => {
        this.fates[number] = code;
        this.settled += 1;
      };
      this.client
        .send(this.xml`<message to="${to}" type="chat" id="m${number}"><body>${text}</body></message>`)
        .then(() => fate("delivered"), (error) => fate(error.code ?? error.message));
    }
  }

  /** How far it is. */
  get progress() {
    return { address: this.address, said: this.said, settled: this.settled, heard: this.heard.length, distinct: new Set(this.heard).size };
  }

  get report() {
    const { said, fates, heard, late, unreadable, returned, resumed, renewed, ended } = this;
    return { said, fates, heard, late, unreadable, returned, resumed, renewed, ended };
  }
}
