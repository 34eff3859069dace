// The grid of all photos: chunks of cells that are fetched when they come near and emptied when they
// are far, and the choice of several photos, which outlives both.

const NEAR = 10; // chunks that are counted to
const MARKS = 200;
const FRESH = 60000;
const PENDING = 3000;
const SAID = 10000;
const TOO_MANY = (most) => `Change at most ${most} photos at a time.`;
const grid = document.getElementById("grid");
if (grid) start();

function start() {
  document.documentElement.classList.add("scripted");
  const total = Number(grid.dataset.total);
  const size = Number(grid.dataset.chunk);
  const most = Number(grid.dataset.most);
  const form = document.getElementById("choice");
  const tools = form.querySelector(".tools");
  const chosen = new Set(form.elements.photos.value.split(",").filter(Boolean));
  for (const input of grid.querySelectorAll("input:checked")) chosen.add(input.value); // came back
  const chunks = [];
  let columns = 0;
  let last = null;
  let marks = null;
  const apart = Math.ceil(total / size / MARKS); // chunks from mark to mark

  const first = grid.querySelector(".chunk");
  for (let index = 0; index * size < total; index++) {
    const box = document.createElement("div");
    box.index = index;
    if (index * size === Number(grid.dataset.offset)) box.append(first);
    chunks.push(box);
  }
  grid.replaceChildren(...chunks);
  lay();
  new ResizeObserver(lay).observe(grid);
  const { at } = grid.dataset;
  const there = at && grid.querySelector(`[data-id="${at}"]`);
  if (there) there.scrollIntoView({ block: "center" });
  else if (Number(grid.dataset.offset)) chunks[Math.floor(Number(grid.dataset.offset) / size)].scrollIntoView();
  if (isBelow()) float(document.querySelector("main > :is([role=status], [role=alert])"));
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) (isIntersecting ? fill : empty)(target);
  }, { rootMargin: "1200px 0px" });
  chunks.forEach((box) => near.observe(box));

  // Whether one looks at photos further down, where what stands above the grid is not seen.
  function isBelow() {
    return grid.getBoundingClientRect().top < 0;
  }

  // What was done is said where one looks, for a while.
  function float(line) {
    if (!line) return;
    line.classList.add("afloat");
    setTimeout(() => line.classList.remove("afloat"), SAID);
  }

  // The photo in the middle of the window: one that is not chosen, if there is one, as it stays.
  function middle() {
    const seen = [...grid.querySelectorAll(".cell")].map((cell) => {
      const { top, bottom } = cell.getBoundingClientRect();
      return { id: cell.dataset.id, off: Math.abs(top + bottom - innerHeight) };
    }).filter(({ off }) => off < innerHeight);
    return seen.sort((one, other) => chosen.has(one.id) - chosen.has(other.id) || one.off - other.off)[0]?.id;
  }

  // Columns by width; every chunk gets the height that it has when it is full.
  function lay() {
    const width = grid.clientWidth;
    const fitting = [12, 10, 8, 6, 5, 4, 3, 2].find((many) => width / many >= (width < 600 ? 104 : 165)) ?? 2;
    const gap = parseFloat(getComputedStyle(grid).rowGap) || 0;
    if (fitting !== columns) {
      columns = fitting;
      grid.style.setProperty("--columns", columns);
    }
    const cell = ((width - gap * (columns - 1)) / columns) * 0.75;
    chunks.forEach((box, index) => {
      const rows = Math.ceil(Math.min(size, total - index * size) / columns);
      box.style.height = `${rows * cell + (rows - 1) * gap}px`;
    });
  }

  async function fill(box) {
    box.wanted = true;
    if (box.firstChild || box.loading) return;
    box.loading = true;
    try {
      const list = await ask(box.index);
      if (list && box.wanted) box.replaceChildren(list);
    } catch {
      setTimeout(() => box.wanted && fill(box), 2000);
    } finally {
      box.loading = false;
    }
  }

  async function ask(index) {
    const answer = await fetch(grid.dataset.part + index * size + (await place(index)));
    if (answer.redirected) return location.reload(); // the session has ended
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = page.querySelector(".chunk");
    for (const input of list ? list.querySelectorAll("input") : []) input.checked = chosen.has(input.value);
    return list;
  }

  // Photos that are being read, after they were sent or turned, show what became of them.
  setInterval(async () => {
    if (document.hidden) return;
    for (const box of chunks.filter((one) => one.wanted && one.querySelector(".waiting, .processing"))) {
      const list = await ask(box.index).catch(() => null);
      const shown = [...box.querySelectorAll(".cell")];
      const fresh = list ? [...list.querySelectorAll(".cell")] : [];
      if (!fresh.length || fresh.length !== shown.length) continue;
      fresh.forEach((cell, number) => {
        const old = shown[number];
        if (!old.isEqualNode(cell) && !old.contains(document.activeElement)) old.replaceWith(cell);
      });
    }
  }, PENDING);

  // Far down, where a chunk begins is told by the nearest mark before it: nothing has to be counted
  // to. Marks are places at one time; photos that come and go move them.
  async function place(index) {
    if (index < NEAR) return "";
    if (!marks || performance.now() - marks.at > FRESH) {
      const at = performance.now();
      marks = { at, found: fetch(grid.dataset.marks + apart).then((answer) => answer.json()).catch(() => []) };
    }
    const mark = (await marks.found)[Math.floor(index / apart)];
    return mark ? `&mark=${encodeURIComponent(mark)}&skip=${(index % apart) * size}` : "";
  }

  function empty(box) {
    box.wanted = false;
    if (box.contains(document.activeElement)) return;
    box.replaceChildren();
  }
  grid.addEventListener("focusout", ({ target }) => {
    const box = target.closest("#grid > div");
    setTimeout(() => box && !box.wanted && empty(box));
  });

  if (!tools) return;
  if (chosen.size) tell();
  // these two need a number; without one the choice stays as it is
  tools.addEventListener("click", ({ target }) => {
    if (target.name === "do") form.elements.bib.required = ["add", "remove"].includes(target.value);
  });
  grid.addEventListener("click", (event) => {
    const input = event.target.closest("input[name=photo]");
    if (!input) return;
    const from = last;
    last = { id: input.value, index: input.closest("#grid > div").index };
    choose(input.value, input.checked);
    tell();
    if (event.shiftKey && from) stretch(from, last, input.checked);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input:not([type=checkbox]), select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const cell = event.target.closest?.(".cell");
    if (event.key === "Escape" && chosen.size && !document.querySelector(":popover-open")) clear();
    else if (cell && event.key.toLowerCase() === "x") cell.querySelector("input").click();
    else if (cell && event.key.startsWith("Arrow")) move(event, cell);
  });
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (chosen.size > most) {
      event.preventDefault();
      return alert(TOO_MANY(most));
    }
    sent = true;
  });
  // the page itself stays as it is: nothing of what is sent has to be undone when it is not left
  form.addEventListener("formdata", ({ formData }) => {
    formData.delete("photo");
    formData.set("photos", [...chosen].join(","));
    formData.delete("offset");
    if (!isBelow()) return;
    formData.set("offset", size * chunks.find((box) => box.getBoundingClientRect().bottom > 0).index);
    formData.set("at", middle() ?? "");
  });
  // A page that Back brings out of the browser's memory shows photos, and a choice, of before.
  addEventListener("pageshow", ({ persisted }) => persisted && sent && location.reload());

  function choose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
  }

  // All from one photo to another; chunks in between that are empty are asked for.
  async function stretch(one, other, on) {
    const [first, past] = [Math.min(one.index, other.index), Math.max(one.index, other.index) + 1];
    if ((past - first - 2) * size > most) return alert(TOO_MANY(most));
    const lists = await Promise.all(chunks.slice(first, past).map((box) => box.firstChild ?? ask(box.index)))
      .catch(() => alert("The photos in between cannot be chosen just now. Try again in a moment."));
    const ids = (lists ?? []).filter(Boolean).flatMap((list) => [...list.querySelectorAll("input[name=photo]")].map(({ value }) => value));
    const [from, to] = [ids.indexOf(one.id), ids.indexOf(other.id)].sort((a, b) => a - b);
    if (from < 0) return;
    for (const id of ids.slice(from, to + 1)) choose(id, on);
    for (const input of grid.querySelectorAll("input[name=photo]")) input.checked = chosen.has(input.value);
    tell();
  }

  function clear() {
    chosen.clear();
    for (const input of grid.querySelectorAll("input:checked")) input.checked = false;
    tell();
  }

  function tell() {
    tools.querySelector("[data-chosen]").textContent = chosen.size;
    tools.querySelector("[data-chosen-photos]").textContent = chosen.size === 1 ? "1 photo" : `${chosen.size} photos`;
    tools.classList.toggle("open", chosen.size > 0);
  }

  function move(event, cell) {
    const cells = [...grid.querySelectorAll(".cell")];
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const next = cells[cells.indexOf(cell) + step];
    if (!next) return;
    event.preventDefault();
    next.querySelector("a").focus();
  }
}
