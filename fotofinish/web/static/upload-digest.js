// The SHA-256 of a file, by which the server knows whether it has it. Browsers compute it themselves
// on secure pages alone, and of whole files in memory alone; else a worker does, piece by piece.

const WHOLE = 64 * 1024 * 1024;
const waiting = new Map();
let worker = null;
let count = 0;

export async function sha256(file) {
  if (!globalThis.crypto?.subtle || file.size > WHOLE) return ask(file);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ask(file) {
  worker ??= start();
  return new Promise((resolve, reject) => {
    waiting.set(++count, { resolve, reject });
    worker.postMessage({ number: count, file });
  });
}

function start() {
  const made = new Worker(new URL("./upload-digest-worker.js", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data: { number, digest, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (digest) resolve(digest);
    else reject(Object.assign(new Error(), { name: error }));
  });
  made.addEventListener("error", () => { // it did not load: the next file starts another
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error());
    waiting.clear();
  });
  return made;
}
