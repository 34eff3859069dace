// Digests of files, one after the other, beside the page: at no time is more than a piece in memory.

import { sha256 } from "./sha256.min.js";

const PIECE = 4 * 1024 * 1024;
let last = Promise.resolve();

addEventListener("message", ({ data }) => {
  last = last.then(() => answer(data));
});

async function answer({ number, file }) {
  try {
    const digest = sha256.create();
    for (let at = 0; at < file.size; at += PIECE) {
      digest.update(await file.slice(at, at + PIECE).arrayBuffer());
    }
    postMessage({ number, digest: digest.hex() });
  } catch (error) {
    postMessage({ number, error: error.name });
  }
}
