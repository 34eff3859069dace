// One file straight into the bucket, by links that the server signs: in one piece, or in parts of
// which those that are there are not sent again.

const KEPT = "direct::";
const PAUSES = [1000, 3000, 5000, 10000, 20000]; // after a part that did not arrive
const CHECK = 5000;
const STALLED = 60000; // without a byte sent: after a laptop was closed, a connection may look alive
const ROUNDS = 5; // of asking for fresh links without a part that arrived

export function begunDirectly(mark) {
  return Object.keys(localStorage).filter((key) => key.startsWith(KEPT + mark)).length;
}

export function forgetDirectly(mark) {
  localStorage.removeItem(KEPT + mark);
}

// Whether the bucket's rules let this page put objects into it: tried with one byte, twice, since a
// browser does not tell a refusal from a lost network. Throws when the server does not answer either.
export async function takesDirectly(target) {
  for (const last of [false, true]) {
    const { url } = await ask(target, `${target.direct}/check`);
    try {
      const answer = await fetch(url, { method: "PUT", body: ".", signal: AbortSignal.timeout(CHECK) });
      if (answer.ok) return true;
    } catch {
      // refused, lost, or somewhere that only the server reaches
    }
    if (!last) await pause(PAUSES[0]);
  }
  return false;
}

export function sendDirectly(item, target, { away, progress, done, failed }) {
  const stop = new AbortController();
  send(item, target, { away, progress }, stop.signal).then(
    ({ result, reason }) => stop.signal.aborted || done(result, reason),
    (error) => stop.signal.aborted || failed(error.status ?? 0, error.told ?? ""),
  );
  return { abort: () => stop.abort() };
}

async function send({ file, path }, target, { away, progress }, signal) {
  const kept = KEPT + target.mark(file, path);
  let state = await earlier(target, kept, signal);
  if (!state) {
    state = await ask(target, target.direct, { name: file.name, path, size: file.size }, signal);
    localStorage.setItem(kept, state.id);
  }
  const address = `${target.direct}/${localStorage.getItem(kept)}`;
  for (let round = 0; !state.result; round++) {
    if (round === ROUNDS) throw Object.assign(new Error(), { status: 503 });
    const stretches = Object.entries(state.missing).map(([number, url]) => {
      const from = (number - 1) * state.part_bytes;
      return { url, piece: file.slice(from, from + state.part_bytes) };
    });
    let sent = file.size - stretches.reduce((sum, { piece }) => sum + piece.size, 0);
    let complete = true;
    for (const { url, piece } of stretches) {
      if (!(await put(url, piece, { away, progress: (bytes) => progress(sent + bytes) }, signal))) {
        complete = false; // the link is too old
        break;
      }
      sent += piece.size;
      round = 0;
    }
    state = (complete && (await finished(target, address, signal))) || (await ask(target, address, undefined, signal));
  }
  localStorage.removeItem(kept);
  return state;
}

async function earlier(target, kept, signal) {
  const id = localStorage.getItem(kept);
  if (!id) return null;
  try {
    return await ask(target, `${target.direct}/${id}`, undefined, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    localStorage.removeItem(kept);
    return null;
  }
}

async function finished(target, address, signal) {
  try {
    return await ask(target, `${address}/finish`, undefined, signal);
  } catch (error) {
    if (error.status !== 409) throw error;
    return null; // parts are missing: ask which
  }
}

// True when the bucket has it, false when it refuses the link; waits for the network for a while.
async function put(url, piece, { away, progress }, signal) {
  for (const wait of [...PAUSES, null]) {
    const status = await putOnce(url, piece, progress, signal);
    if (status >= 200 && status < 300) return true;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) return false;
    if (status === 0) {
      if (signal.aborted) throw new Error();
      await piece.slice(0, 1).arrayBuffer().catch(() => {
        throw Object.assign(new Error(), { status: 400, told: "The file cannot be read any more." });
      });
      away();
    }
    if (wait === null || !navigator.onLine) break;
    await pause(wait);
    if (signal.aborted) throw new Error();
  }
  throw Object.assign(new Error(), { status: 0 });
}

function putOnce(url, piece, progress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much was sent
    const stop = () => request.abort();
    let stalled = setTimeout(stop, STALLED);
    signal.addEventListener("abort", stop, { once: true });
    request.upload.onprogress = ({ loaded }) => {
      clearTimeout(stalled);
      stalled = setTimeout(stop, STALLED);
      progress(Math.min(loaded, piece.size));
    };
    request.onloadend = () => {
      clearTimeout(stalled);
      signal.removeEventListener("abort", stop);
      resolve(request.status);
    };
    request.open("PUT", url);
    if (signal.aborted) return resolve(0);
    request.send(piece);
  });
}

async function ask(target, address, body, signal) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Form-Token": target.token },
    body: JSON.stringify(body ?? {}),
    signal,
  });
  if (answer.ok) return answer.json();
  const told = await answer.json().then(({ message }) => message, () => "");
  throw Object.assign(new Error(), { status: answer.status, told });
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
