// What became of one node's publications: from what was published, and what its feed told.

const take = (list, count) => list.slice(0, count).join(", ");

/**
 * `published`: `{ id, tries }` by number, in the order of publication. `told`: what the feed told, in order: `["item", number, id,
 * via]`, `["gap", after, before]`, `["retract", id, via]`, `["live"]`, and `["reload"]` where the page was. `keep`: how many items the node keeps. `byCreation`: the
 * service lists an item that was published again where it was before, and forgets the oldest by creation.
 */
export function judge({ published, told, keep, byCreation }) {
  const result = { live: 0, "catch-up": 0, snapshot: 0, replaced: 0, repeated: 0, dropped: 0, missed: 0, gaps: 0, real: 0, untellable: 0, wrong: [] };
  const places = new Map();
  const again = published.map(({ id }, number) => {
    const before = places.get(id);
    if (before) before.push(number);
    else places.set(id, [number]);
    return before !== undefined;
  });

  const heard = new Set();
  const retracted = new Set();
  const reloads = [];
  /** How far it was when catching up was over. */
  const reached = [];
  const gaps = [];
  const found = { twice: [], disordered: [], ends: [] };
  let frontier = -1;
  let lastId;
  /** Gaps of which the first item after is still to come, and those whose catching up is not over. */
  let unmet = [];
  let open = [];
  for (const [at, [kind, ...event]] of told.entries()) {
    if (kind === "item") {
      const [number, id, via] = event;
      result[via] += 1;
      if (published[number]?.id !== id) result.wrong.push(`${number} came with the id ${id}`);
      for (const gap of unmet) {
        if (gap.before !== undefined && gap.before !== id) found.ends.push(`before ${gap.before}, and ${id} comes`);
      }
      unmet = [];
      lastId = id;
      const moved = byCreation && via !== "live" && again[number];
      for (const gap of open) gap.block.push({ number, moved });
      if (heard.has(number)) {
        if (published[number].tries > 1) result.repeated += 1;
        else found.twice.push(number);
        continue;
      }
      heard.add(number);
      if (moved) continue;
      if (number < frontier) {
        found.disordered.push(`${number} after ${frontier}`);
        result.around ??= told.slice(Math.max(0, at - 20), at + 6).map(([kind, what, , via]) => [kind, what, via].filter((part) => part !== undefined).join(" "));
      }
      frontier = Math.max(frontier, number);
    } else if (kind === "gap") {
      const [after, before] = event;
      if ((after ?? undefined) !== lastId) found.ends.push(`after ${after}, and ${lastId} was the last`);
      const gap = { low: Math.max(-1, ...heard), before: before ?? undefined, block: [] };
      gaps.push(gap);
      unmet.push(gap);
      open = [gap];
    } else if (kind === "live") {
      open = [];
      reached.push(Math.max(-1, ...heard));
    } else if (kind === "reload") {
      reloads.push(Math.max(-1, ...heard));
    } else if (kind === "retract") {
      retracted.add(event[0]);
    } else {
      result.wrong.push(`${kind} was told`);
    }
  }

  for (const gap of gaps) {
    const stayed = gap.block.filter(({ moved }) => !moved);
    const numbers = (list) => list.map(({ number }) => number);
    gap.high = stayed.length > 0 ? Math.min(...numbers(stayed)) : (gap.block[0]?.number ?? published.length);
    gap.highest = Math.max(gap.high, ...numbers(gap.block));
  }
  /** Was what the page had last, or first again, about where this was published? */
  const isBefore = (number) => (far) => far < number && !published.some((_, other) => other > far && other < number && heard.has(other));
  /**
   * Was its id, though it had just been published again, the oldest by creation, and dropped before the page was back? Its going
   * is told; not after a reload, when the page has nothing of it.
   */
  const isGone = (number) => {
    const far = Math.min(...reached.filter((far) => far > number), published.length);
    const [created] = places.get(published[number].id);
    return published.slice(created + 1, far + 1).filter((_, index) => !again[created + 1 + index]).length >= keep;
  };
  const silent = [];
  published.forEach(({ id }, number) => {
    if (heard.has(number)) return;
    // Of what was published to an id several times meanwhile, the newest is enough.
    if (places.get(id).some((later) => later > number && heard.has(later))) {
      result.replaced += 1;
      return;
    }
    const within = gaps.filter(({ low, high, highest }) => number > low && number < (byCreation && again[number] ? highest : high));
    for (const gap of within) gap.real = true;
    if (within.length > 0) result.missed += 1;
    else if (byCreation && again[number] && isGone(number) && (retracted.has(id) || reloads.some(isBefore(number)))) result.dropped += 1;
    else silent.push(number);
  });

  const unneeded = [];
  for (const { real, block, low } of gaps) {
    result.gaps += 1;
    if (real) result.real += 1;
    // All that is there is new: one more may have been there, and nothing shows that none was.
    else if (new Set(block.map(({ number }) => published[number].id)).size >= keep) result.untellable += 1;
    else unneeded.push(`after ${low}`);
  }
  Object.assign(result, { silent: silent.length, twice: found.twice.length, disordered: found.disordered.length, unneeded: unneeded.length });
  if (silent.length > 0) result.wrong.push(`${silent.length} missed in silence: ${take(silent, 20)}`);
  if (found.twice.length > 0) result.wrong.push(`${found.twice.length} twice: ${take(found.twice, 20)}`);
  if (found.disordered.length > 0) result.wrong.push(`${found.disordered.length} out of order: ${take(found.disordered, 10)}`);
  if (unneeded.length > 0) result.wrong.push(`${unneeded.length} gaps where nothing is missing: ${take(unneeded, 10)}`);
  if (result.around) result.wrong.push(`around the first of them: ${result.around.join(", ")}`);
  delete result.around;
  for (const end of found.ends.slice(0, 3)) result.wrong.push(`a gap ${end}`);
  return result;
}

/** Sums of the numbers in several results, and all that is wrong. */
export function sum(results) {
  const all = { wrong: [] };
  for (const [name, result] of Object.entries(results)) {
    for (const [key, value] of Object.entries(result)) if (key !== "wrong") all[key] = (all[key] ?? 0) + value;
    all.wrong.push(...result.wrong.map((text) => `${name}: ${text}`));
  }
  return all;
}
