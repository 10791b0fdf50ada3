// The part of `Connection` that logs in step by step: mechanisms, SASL (RFC 6120 §6), the login of XEP-0078, binding, the session of
// RFC 3921 and stream management. Plugins replace single steps, so each is a method of the name that it has in strophe.js 5.0.0.

import { $build, $iq } from "./builder.js";
import { ErrorCondition, NS, Status } from "./constants.js";
import { Dispatch } from "./dispatch.js";
import { elementsIn, type Frame } from "./arrival.js";
import type { Handler } from "./handler.js";
import log from "./log.js";
import { defaultMechanisms } from "./sasl-mechanisms.js";
import { Scram } from "./sasl-scram.js";
import type { SASLMechanism } from "./sasl.js";
import type { Request } from "./request.js";
import { toStanzaView } from "./views.js";
import { getBareJidFromJid, getNodeFromJid, getResourceFromJid, getText } from "./utils.js";
import type { ConnectionOptions, Password } from "./connection-options.js";

/** A class of mechanism, as pages register it. */
export type MechanismClass = new (...args: never[]) => SASLMechanism;

/** The steps between the first response and the session. */
export abstract class Login extends Dispatch {
  declare options: ConnectionOptions;
  jid = "";
  domain: string | null = null;
  features: Element | null = null;
  mechanisms: Record<string, SASLMechanism> = {};
  do_authentication = true;
  do_bind = false;
  do_session = false;
  restored = false;
  // Undefined until connect().
  declare authzid: string | null;
  declare authcid: string | null;
  declare pass: string | Password | null;
  declare scram_keys: unknown;

  _sasl_data: Record<string, unknown> = {};
  declare _sasl_mechanism: SASLMechanism | null;
  _sasl_success_handler: Handler | null = null;
  _sasl_failure_handler: Handler | null = null;
  _sasl_challenge_handler: Handler | null = null;
  _smHandlers: Handler[] = [];

  abstract send(stanza: unknown): void;
  abstract disconnect(reason?: string): void;
  abstract _sendRestart(): void;
  /** Whether the transport uses stream management: WebSocket. */
  abstract _canManageStream(): boolean;

  /** Replaces the registered mechanisms by the given ones, or by strophe.js's own if none are given. */
  registerSASLMechanisms(mechanisms?: MechanismClass[]): void {
    this.mechanisms = {};
    for (const mechanism of mechanisms || defaultMechanisms()) this.registerSASLMechanism(mechanism);
  }

  /** Registers one mechanism. */
  registerSASLMechanism(Mechanism: MechanismClass): void {
    const mechanism = new Mechanism();
    this.mechanisms[mechanism.mechname] = mechanism;
  }

  /** Handles the server's first response, or a later one if the first one had no features. */
  _connect_cb(req: Element | Request, callback?: unknown, raw?: string): void {
    this.connected = true;
    const frame = this.#openingFrame(req);
    if (!frame) return;
    this._showInput(frame, raw);
    const body = frame.element();
    if (this._proto._connect_cb(body) === Status.CONNFAIL) return;
    const offered = Array.from(body.getElementsByTagName("mechanism"), (one) => this.mechanisms[one.textContent ?? ""]);
    const known = offered.filter((one) => one !== undefined);
    const hasLogin = known.length > 0 || body.getElementsByTagName("auth").length > 0;
    if (!hasFeatures(body) || !hasLogin) {
      this._proto._no_auth_received(callback);
      return;
    }
    if (this.do_authentication !== false) this.authenticate(known);
  }

  #openingFrame(req: Element | Request): Frame | null {
    try {
      return this._frameOf(req);
    } catch (error) {
      if ((error as Error).name !== ErrorCondition.BAD_FORMAT) throw error;
      this._changeConnectStatus(Status.CONNFAIL, ErrorCondition.BAD_FORMAT);
      this._doDisconnect(ErrorCondition.BAD_FORMAT);
      return null;
    }
  }

  /** Sorts the array in place, highest priority first. */
  sortMechanismsByPriority(mechanisms: SASLMechanism[]): SASLMechanism[] {
    return mechanisms.sort((one, other) => other.priority - one.priority);
  }

  /** Logs in with the best of the mechanisms, or by XEP-0078. */
  authenticate(matched: SASLMechanism[]): void {
    if (!this._attemptSASLAuth(matched)) this._attemptLegacyAuth();
  }

  _attemptSASLAuth(mechanisms?: SASLMechanism[]): boolean {
    const mechanism = this.sortMechanismsByPriority(mechanisms || []).find((one) => one.test(this as never));
    if (!mechanism) return false;
    this._sasl_success_handler = this._addSysHandler((elem) => this._sasl_success_cb(elem), null, "success");
    this._sasl_failure_handler = this._addSysHandler((elem) => this._sasl_failure_cb(elem), null, "failure");
    this._sasl_challenge_handler = this._addSysHandler((elem) => this._sasl_challenge_cb(elem), null, "challenge");
    // State of an earlier login must not apply to this one.
    this._sasl_data = {};
    this._sasl_mechanism = mechanism;
    mechanism.onStart(this as never);
    const auth = $build("auth", { xmlns: NS.SASL, mechanism: mechanism.mechname });
    if (mechanism.isClientFirst) {
      const first = mechanism.clientChallenge(this as never);
      auth.t(btoa(first as string));
    }
    this.send(auth.tree());
    return true;
  }

  async _sasl_challenge_cb(elem: Element): Promise<boolean> {
    const challenge = atob(getText(elem) ?? "");
    const answer = await this._sasl_mechanism?.onChallenge(this as never, challenge);
    const response = $build("response", { xmlns: NS.SASL });
    if (answer) response.t(btoa(answer));
    this.send(response.tree());
    return true;
  }

  #dropSaslHandlers(...names: ("_sasl_success_handler" | "_sasl_failure_handler" | "_sasl_challenge_handler")[]): void {
    for (const name of names) {
      if (this[name]) this.deleteHandler(this[name]);
      this[name] = null;
    }
  }

  _sasl_success_cb(elem: Element): boolean {
    if (!this.#isServerProven(elem)) {
      this.#dropSaslHandlers("_sasl_failure_handler", "_sasl_challenge_handler");
      this._sasl_data = {};
      return this._sasl_failure_cb(null);
    }
    log.info("The login succeeded.");
    if (this._sasl_data.keys) this.scram_keys = this._sasl_data.keys;
    this._sasl_mechanism?.onSuccess();
    this.#dropSaslHandlers("_sasl_failure_handler", "_sasl_challenge_handler");
    const waiting: Handler[] = [];
    const proceed = (features: Element): boolean => {
      // Features that the stream has read match both handlers.
      if (!waiting.length) return false;
      while (waiting.length) this.deleteHandler(waiting.pop() as Handler);
      this._onStreamFeaturesAfterSASL(features);
      return false;
    };
    waiting.push(this._addSysHandler(proceed, null, "stream:features"), this._addSysHandler(proceed, NS.STREAM, "features"));
    this._sendRestart();
    return false;
  }

  /** Whether the server's signature is valid, if the mechanism has one: it proves that the server knows the password (RFC 5802 §5). */
  #isServerProven(elem: Element): boolean {
    const text = getText(elem);
    const additional = text ? atob(text) : undefined;
    const expected = this._sasl_data["server-signature"];
    if (expected) return /(?:^|,)v=([^,]+)/.exec(additional ?? "")?.[1] === expected;
    return this._sasl_mechanism instanceof Scram ? this._sasl_mechanism.isServerProven(additional) : true;
  }

  _sasl_failure_cb(elem: Element | null): boolean {
    this.#dropSaslHandlers("_sasl_success_handler", "_sasl_challenge_handler");
    this._sasl_mechanism?.onFailure();
    this._changeConnectStatus(Status.AUTHFAIL, null, elem);
    return false;
  }

  _attemptLegacyAuth(): void {
    const username = getNodeFromJid(this.jid);
    if (username === null) {
      this._changeConnectStatus(Status.CONNFAIL, ErrorCondition.MISSING_JID_NODE);
      this.disconnect(ErrorCondition.MISSING_JID_NODE);
      return;
    }
    this._changeConnectStatus(Status.AUTHENTICATING, null);
    this._addSysHandler(() => this._onLegacyAuthIQResult(), null, null, null, "_auth_1");
    const query = $iq({ type: "get", to: this.domain as string, id: "_auth_1" }).c("query", { xmlns: NS.AUTH });
    this.send(query.c("username", {}).t(username).tree());
  }

  _onLegacyAuthIQResult(): boolean {
    if (!getResourceFromJid(this.jid)) this.jid = `${getBareJidFromJid(this.jid)}/strophe`;
    const query = $iq({ type: "set", id: "_auth_2" }).c("query", { xmlns: NS.AUTH });
    query.c("username", {}).t(getNodeFromJid(this.jid) ?? "").up();
    query.c("password").t(typeof this.pass === "string" ? this.pass : "").up();
    query.c("resource", {}).t(getResourceFromJid(this.jid) ?? "");
    this._addSysHandler((elem) => this._auth2_cb(elem), null, null, null, "_auth_2");
    this.send(query.tree());
    return false;
  }

  _auth2_cb(elem: Element): boolean {
    const type = elem.getAttribute("type");
    if (type === "result") this.#becomeConnected();
    else if (type === "error") {
      this._changeConnectStatus(Status.AUTHFAIL, null, elem);
      this.disconnect("authentication failed");
    }
    return false;
  }

  #becomeConnected(): void {
    this.authenticated = true;
    this._onSessionReady();
    this._changeConnectStatus(Status.CONNECTED, null);
    this._scheduleIdle();
  }

  _onStreamFeaturesAfterSASL(elem: Element): boolean {
    this.features = elem;
    for (const child of elementsIn(elem)) {
      if (child.nodeName === "bind") this.do_bind = true;
      if (child.nodeName === "session") this.do_session = true;
      if (this.sm && child.nodeName === "sm" && child.namespaceURI === NS.SM) this.sm.serverSupported = true;
    }
    if (this.sm?.serverSupported && this._canManageStream()) {
      this.sm.initialize(this.jid);
      if (this.sm.hasResumableState()) {
        this._registerSMHandlers();
        this.sm.sendResume();
        return false;
      }
    }
    this._proceedToBind();
    return false;
  }

  _proceedToBind(): void {
    if (!this.do_bind) this._changeConnectStatus(Status.AUTHFAIL, null);
    else if (this.options.explicitResourceBinding) this._changeConnectStatus(Status.BINDREQUIRED, null);
    else this.bind();
  }

  /** Binds the resource of the JID, or one that the server chooses. The page calls it if `explicitResourceBinding` is set. */
  bind(): void {
    if (!this.do_bind) {
      log.info("bind() does nothing: the server has not offered to bind a resource.");
      return;
    }
    this._addSysHandler((elem) => this._onResourceBindResultIQ(elem), null, null, null, "_bind_auth_2");
    const request = $iq({ type: "set", id: "_bind_auth_2" }).c("bind", { xmlns: NS.BIND });
    const resource = getResourceFromJid(this.jid);
    if (resource) request.c("resource", {}).t(resource);
    this.send(request.tree());
  }

  _onResourceBindResultIQ(elem: Element): boolean | undefined {
    const [bind] = elem.getElementsByTagName("bind");
    if (elem.getAttribute("type") === "error" || !bind) {
      log.warn("The server did not bind the resource.");
      const isConflict = elem.getElementsByTagName("conflict").length > 0;
      const isError = elem.getAttribute("type") === "error";
      this._changeConnectStatus(Status.AUTHFAIL, isError ? (isConflict ? ErrorCondition.CONFLICT : undefined) : null, elem);
      return false;
    }
    const [jid] = bind.getElementsByTagName("jid");
    if (!jid) return undefined;
    this.authenticated = true;
    this.jid = getText(jid) ?? "";
    if (this.do_session) this._establishSession();
    else this.#becomeConnected();
    return undefined;
  }

  _establishSession(): void {
    if (!this.do_session) throw new Error(`The server has not offered ${NS.SESSION}.`);
    this._addSysHandler((elem) => this._onSessionResultIQ(elem), null, null, null, "_session_auth_2");
    this.send($iq({ type: "set", id: "_session_auth_2" }).c("session", { xmlns: NS.SESSION }).tree());
  }

  _onSessionResultIQ(elem: Element): boolean {
    const type = elem.getAttribute("type");
    if (type === "result") this.#becomeConnected();
    else if (type === "error") {
      this.authenticated = false;
      log.warn("The server did not create the session.");
      this._changeConnectStatus(Status.AUTHFAIL, null, elem);
    }
    return false;
  }

  /** The session is bound: stream management may be enabled. */
  _onSessionReady(): void {
    const { sm } = this;
    if (!sm?.serverSupported || sm.resumed || sm.isTracking() || !this._canManageStream()) return;
    this._registerSMHandlers();
    sm.sendEnable(this.jid);
  }

  _registerSMHandlers(): void {
    for (const handler of this._smHandlers) this.deleteHandler(handler);
    const count = (elem: Element): boolean => {
      this.sm?.onInbound(toStanzaView(elem));
      return true;
    };
    this._smHandlers = [
      ...["r", "a", "enabled"].map((name) => this._addSysHandler(count, NS.SM, name)),
      this._addSysHandler((elem) => this._onStreamResumed(elem), NS.SM, "resumed"),
      this._addSysHandler((elem) => this._onStreamResumptionFailed(elem), NS.SM, "failed"),
    ];
  }

  _onStreamResumed(elem: Element): boolean {
    this.sm?.onInbound(toStanzaView(elem));
    this.do_bind = false;
    this.authenticated = true;
    this.restored = true;
    this.jid = this.sm?.boundJid ?? this.jid;
    this._changeConnectStatus(Status.CONNECTED, null);
    this._scheduleIdle();
    return true;
  }

  _onStreamResumptionFailed(elem: Element): boolean {
    const wasResuming = this.sm?.resumePending;
    this.sm?.onInbound(toStanzaView(elem));
    if (wasResuming) {
      this.do_bind = true;
      this._proceedToBind();
    }
    return true;
  }
}

const hasFeatures = (body: Element): boolean =>
  body.getElementsByTagNameNS(NS.STREAM, "features").length > 0 || body.getElementsByTagName("stream:features").length > 0;
