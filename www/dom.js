// What all parts of the page use to make and change elements. Text only ever becomes text.

export const byId = (id) => document.getElementById(id);

/** An element: `el("li", { class: "card", onclick: act }, "text", child)`. Nothing comes of null, undefined and false. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  fill(element, ...children);
  return element;
}

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** 14:02:31 */
export const clock = (date) => clockFormat.format(date);

/** 14:02:31.087 */
export const exactClock = (date) => `${clock(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;

/** A `<time>` that shows the time of day and has the whole of it in its title. */
export const timeOf = (date) => el("time", { datetime: date.toISOString(), title: dayFormat.format(date) }, clock(date));

/** 9 ms, 1.4 s */
export function duration(ms) {
  if (ms < 9.95) return `${Math.max(0, ms).toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Says something to those who hear the page: what comes close together is said together. */
export function announcer(region, wait = 700) {
  let waiting = [];
  let timer;
  return (text) => {
    waiting.push(text);
    timer ??= setTimeout(() => {
      const [first, second] = waiting;
      region.textContent = waiting.length > 2 ? `${first}, and ${waiting.length - 1} more changes` : second ? `${first}. ${second}` : first;
      waiting = [];
      timer = undefined;
    }, wait);
  };
}

/** Keeps a scrolling box at its end while it is there; `stick()` after something was added. */
export function stickToEnd(box) {
  let atEnd = true;
  box.addEventListener("scroll", () => {
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  });
  return {
    stick(force) {
      if (force || atEnd) box.scrollTop = box.scrollHeight;
    },
  };
}
