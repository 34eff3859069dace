// Sends chosen files to the event, a few at a time, and shows how far it is: straight into the bucket
// where there is one, else by tus. Both remember where a file stopped: after a reload it goes on there.

import { sha256 } from "./upload-digest.js";
import { begunDirectly, forgetDirectly, sendDirectly, takesDirectly } from "./upload-direct.js";
import { begunByTus, forgetByTus, sendByTus } from "./upload-tus.js";

const AT_ONCE = 4;
const OFFLINE_PAUSE = 5000;
const SYSTEM_FILE = /^(\.|Thumbs\.db$|desktop\.ini$)/i;
const AWAY = "The server does not answer. Sending goes on by itself when it does.";
const WINDOW = 30000; // milliseconds that the speed is taken from

const root = document.getElementById("upload");
const part = (name) => root.querySelector(`[data-${name}]`);
const target = {
  uploads: `/events/${root.dataset.event}/uploads`,
  direct: `/events/${root.dataset.event}/direct`,
  token: root.dataset.token,
  mark,
};
const number = new Intl.NumberFormat("en");

const waiting = [];
const active = new Map();
const sums = { stored: 0, duplicate: 0, rejected: 0 };
const chosen = new Set();
const samples = [];
let count = 0;
let allBytes = 0;
let doneBytes = 0;
let paused = false;
let drawing = false;
let direct = null;

mark.begin = `fotofinish|${root.dataset.event}|`;
tellUnfinished();
for (const field of root.querySelectorAll("[data-choose]")) {
  field.addEventListener("change", () => {
    startAnew();
    add([...field.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    field.value = "";
  });
}
part("pause").addEventListener("click", () => (paused ? goOn() : pause()));
addEventListener("online", () => !paused && fill());
addEventListener("beforeunload", (event) => {
  if (waiting.length || active.size) event.preventDefault();
});

const drop = part("drop");
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  startAnew();
  // entries have to be asked for before anything is waited for
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  for (const entry of entries) await collect(entry, found);
  add(found);
});

async function collect(entry, found) {
  try {
    await gather(entry, found);
  } catch { // a link that leads nowhere, a folder that may not be read
    count += 1;
    refuse(entry.fullPath.replace(/^\//, ""), "This cannot be read.");
    part("sending").hidden = false;
    draw();
  }
}

async function gather(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives a hundred entries at a time
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return;
    for (const inner of batch) await collect(inner, found);
  }
}

function add(files) {
  const fresh = files.filter(({ file, path }) => {
    const key = mark(file, path);
    if (SYSTEM_FILE.test(file.name) || chosen.has(key)) return false;
    chosen.add(key);
    return true;
  });
  if (!fresh.length) return say(files.length ? "These are all on their way already." : "There are no photos in it.");
  for (const item of fresh) {
    count += 1;
    allBytes += item.file.size;
    waiting.push({ ...item, sent: 0 });
  }
  part("unfinished").hidden = true;
  part("sending").hidden = false;
  if (!paused) fill();
  draw();
}

// What is chosen after all was done is counted by itself.
function startAnew() {
  if (finished() < count) return;
  count = allBytes = doneBytes = samples.length = 0;
  for (const result of Object.keys(sums)) sums[result] = 0;
}

function finished() {
  return sums.stored + sums.duplicate + sums.rejected;
}

function fill() {
  while (active.size < AT_ONCE && waiting.length && !paused) {
    const item = waiting.shift();
    active.set(item, null);
    item.turn = {};
    send(item, item.turn);
  }
}

// In a turn of its own: who is in line again meanwhile, after a pause, has another one.
async function send(item, turn) {
  const { file } = item;
  let start;
  try {
    if (file.size > Number(root.dataset.most)) {
      return settle(item, "rejected", `The file is larger than ${megabytes(root.dataset.most)}.`);
    }
    start = (await way()) ? sendDirectly : sendByTus;
    const here = await known(file);
    if (item.turn !== turn) return;
    if (here) return settle(item, "duplicate");
  } catch (error) {
    if (item.turn !== turn) return;
    if (error.name === "NotReadableError" || error.name === "NotFoundError") {
      return settle(item, "rejected", "The file cannot be read any more.");
    }
    return later(item, error.status, error.told);
  }
  active.set(item, start(item, target, {
    away: () => trouble(AWAY),
    progress: (sent) => {
      item.sent = sent;
      trouble("");
      draw();
    },
    done: (result, reason) => (result ? settle(item, result, reason) : later(item)),
    failed: (status, message) => failed(item, status, message),
  }));
}

// Whether the bucket takes files from this page, found out once and before the first file.
function way() {
  if (!("direct" in root.dataset)) return false;
  direct ??= takesDirectly(target).then((takes) => {
    part("way").hidden = takes;
    return takes;
  });
  direct.catch(() => (direct = null));
  return direct;
}

async function known(file) {
  const answer = await fetch(`${target.uploads}/known`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Form-Token": target.token },
    body: JSON.stringify({ sha256: [await sha256(file)] }),
  });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(), { status: answer.status, told: told.message });
  return told.known.length > 0;
}

function failed(item, status, message) {
  const final = status >= 400 && status < 500 && ![401, 403, 409, 423].includes(status);
  if (final) settle(item, "rejected", message || `The server answered ${status}.`);
  else later(item, status, message);
}

// Back in line: the network is away, the session has ended, or the server is in trouble.
function later(item, status = 0, message = "") {
  lineUp(item);
  if ([401, 403, 404, 507].includes(status)) {
    pause();
    trouble(message || "You are signed out. Sign in again in another tab, then go on here.");
  } else {
    trouble(message || AWAY);
    setTimeout(() => !paused && fill(), OFFLINE_PAUSE);
  }
  draw();
}

function settle(item, result, reason = "") {
  const key = mark(item.file, item.path);
  active.delete(item);
  chosen.delete(key); // it may be chosen again: mended, say
  forgetByTus(key);
  forgetDirectly(key);
  doneBytes += item.file.size;
  if (result === "rejected") {
    refuse(item.path, reason);
  } else {
    sums[result] += 1;
    forgive(item.path);
  }
  trouble("");
  fill();
  draw();
}

function refuse(path, reason) {
  sums.rejected += 1;
  const line = document.createElement("li");
  line.className = "reasoned";
  line.append(span("file", path), span("reason", reason));
  forgive(path);
  part("reasons").append(line);
  part("rejected").hidden = false;
}

// A file that was refused before is listed with its latest reason, and not at all once it is taken.
function forgive(path) {
  const line = [...part("reasons").children].find((one) => one.firstChild.textContent === path);
  line?.remove();
  part("rejected").hidden = !part("reasons").children.length;
}

function lineUp(item) {
  active.delete(item);
  item.turn = null;
  item.sent = 0;
  waiting.unshift(item);
}

function pause() {
  paused = true;
  for (const [item, upload] of [...active]) {
    upload?.abort();
    lineUp(item);
  }
  part("pause").textContent = "Go on";
  samples.length = 0;
  draw();
}

async function goOn() {
  const page = await fetch(location.href, { signal: AbortSignal.timeout(OFFLINE_PAUSE) })
    .then((answer) => answer.text())
    .catch(() => "");
  const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("upload");
  target.token = fresh?.dataset.token ?? target.token; // who signed in again has another one
  paused = false;
  part("pause").textContent = "Pause";
  trouble("");
  fill();
  draw();
}

function trouble(text) {
  part("trouble").textContent = text;
  part("trouble").hidden = !text;
}

function draw() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    show();
  }, 200);
}

function show() {
  const over = finished() === count;
  const sent = doneBytes + [...active.keys()].reduce((sum, item) => sum + item.sent, 0);
  part("done").textContent = number.format(finished());
  part("count").textContent = number.format(count);
  part("bar").value = allBytes ? sent / allBytes : 0;
  part("sums").replaceChildren(
    ...[
      ["ready", sums.stored, "new"],
      ["waiting", sums.duplicate, "here already"],
      ["failed", sums.rejected, "not taken"],
    ].filter(([, many]) => many).map(([kind, many, label]) => {
      const line = document.createElement("li");
      line.className = kind;
      const strong = document.createElement("b");
      strong.textContent = number.format(many);
      line.append(strong, ` ${label}`);
      return line;
    }),
  );
  part("active").replaceChildren(...[...active.keys()].map(line));
  part("pause").hidden = over;
  tellSpeed(finished(), sent, over);
}

function line(item) {
  const made = document.createElement("li");
  const bar = document.createElement("progress");
  bar.max = Math.max(1, item.file.size);
  bar.value = item.sent;
  bar.setAttribute("aria-label", item.file.name);
  made.append(span("file", item.path), bar);
  return made;
}

function tellSpeed(finished, sent, over) {
  const now = performance.now();
  samples.push({ now, finished, sent });
  while (samples.length > 2 && now - samples[0].now > WINDOW) samples.shift();
  const first = samples[0];
  const seconds = (now - first.now) / 1000;
  let speed = paused ? "Paused." : "Starting …";
  let left = "";
  if (over) {
    speed = "All done. The photos are being read now.";
  } else if (!paused && !active.size) {
    speed = "Waiting.";
  } else if (!paused && seconds > 1 && sent > first.sent) {
    const rate = (sent - first.sent) / seconds;
    const photos = Math.round((60 * (finished - first.finished)) / seconds);
    speed = `${photos ? `${number.format(photos)} photos a minute, ` : ""}${megabytes(rate)} a second`;
    left = `${time((allBytes - sent) / rate)} left`;
  }
  part("speed").textContent = speed;
  part("left").textContent = left;
  part("overview").hidden = !over;
}

async function tellUnfinished() {
  if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  const earlier = begunByTus(mark.begin) + begunDirectly(mark.begin);
  if (!earlier || count) return;
  const line = part("unfinished");
  line.textContent = `${earlier === 1 ? "One photo" : `${number.format(earlier)} photos`} of an earlier upload did not arrive whole. Choose the same folder again: it goes on where it stopped.`;
  line.hidden = false;
}

// What makes a file the same one after a reload.
function mark(file, path) {
  return `${mark.begin}${path}|${file.size}|${file.lastModified}`;
}

function span(name, text) {
  const made = document.createElement("span");
  made.className = name;
  made.textContent = text;
  return made;
}

function megabytes(bytes) {
  return `${number.format(Math.round(bytes / 1e5) / 10)} MB`;
}

function time(seconds) {
  if (seconds < 60) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function say(text) {
  trouble(text);
}
