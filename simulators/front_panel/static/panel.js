// The front of the terminal. State comes whole, as server-sent events; every part is drawn from it. Text goes in by
// textContent only, so that a world file cannot put markup here.

import { openScreen } from "./screen.js";

const SWITCHES = {
  paper_out: ["凭条纸用完", "Receipt paper out"],
  paper_low: ["凭条纸将尽", "Receipt paper low"],
  cover_open: ["打印机盖打开", "Printer cover open"],
  printer_unplugged: ["凭条机断线", "Receipt printer unplugged"],
  page_paper_empty: ["A4 纸用完", "A4 paper empty"],
  page_printer_unplugged: ["A4 打印机断线", "A4 printer unplugged"],
  pad_battery_low: ["键盘电池低", "Pad battery low"],
  pad_unplugged: ["键盘断线", "Pad unplugged"],
  cash_unplugged: ["钞箱模块断线", "Cash module unplugged"],
  cash_box_out: ["钞箱被取出", "Cash box taken out"],
  note_jam: ["进钞口卡钞", "Note jams at the entry"],
  stacker_jam: ["入箱卡钞", "Note jams on its way in"],
  headset_in: ["插着耳机", "Headset plugged in"],
  lights_unplugged: ["指示灯断线", "Lamps unplugged"],
  dispenser_jam: ["出钞卡钞", "Note jams on its way out"],
  network_down: ["网络中断", "Network down"],
  slow_host: ["主机变慢", "Slow hosts"],
  platform_down: ["医保断线", "Insurance line down"],
  platform_silent: ["医保记账不回话", "Insurance books silently"],
  reversal_overtakes: ["冲正先到", "Reversal overtakes"],
  window_pays: ["窗口先付", "Window pays first"],
  day_is_over: ["今日已对账", "Day is reconciled"],
  bank_down: ["银行断线", "Bank line down"],
  bank_slow: ["银行变慢", "Slow bank"],
  bank_silent: ["银行记账不回话", "Bank books silently"],
  pcscd_restart: ["读卡服务重启", "Restart pcscd"],
  power_cut: ["断电", "Power cut"],
};
const PAD = [
  ["1"], ["2"], ["3"], ["cancel", "取消", "Cancel"],
  ["4"], ["5"], ["6"], ["clear", "更正", "Clear"],
  ["7"], ["8"], ["9"], ["enter", "确认", "Enter"],
  ["point", "."], ["0"], ["00"],
];
const CARE = [
  ["f1", "帮忙", "Help"], ["f2", "大字", "Large"], ["f3", "朗读", "Speak"], ["f4", "对比", "Contrast"],
  ["f5", "中/EN", "Language"], ["f6", "遮住", "Hide"], ["f7", "上页", "Previous"], ["f8", "下页", "Next"],
];
const NOTES = [1, 5, 10, 20, 50, 100];
const KINDS = { good: ["真钞", "Genuine"], fake: ["假钞", "Fake"], torn: ["破钞", "Torn"], two: ["两张叠放", "Two at once"] };
// Where the lamp of each place is on this page. In mode A the reader's own pad is at the card slot.
const LAMPS = {
  card_slot: "slot", pin_pad: "pad", receipt_outlet: "receipt_mouth", page_outlet: "sheet_mouth",
  note_slot: "entry", note_outlet: "tray",
};
const TYPED = { Enter: "enter", Backspace: "clear", Delete: "clear", Escape: "cancel", ".": "." };

const at = (id) => document.getElementById(id);

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function button(className, act, ...children) {
  const made = element("button", className, ...children);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

const small = (words) => element("small", "", words);

let toastTimer = 0;
function toast(words) {
  at("toast").textContent = words;
  at("toast").classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => at("toast").classList.remove("shown"), 4000);
}

async function act(path, body) {
  try {
    const answer = await fetch(`/api/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) toast((await answer.json()).why);
  } catch {
    toast("这台终端没有运行 · The terminal is not running");
  }
}

// Redrawing a part that did not change would take the focus away and flicker.
const drawn = new Map();
function draw(id, state, build) {
  const key = JSON.stringify(state);
  if (drawn.get(id) === key) return;
  drawn.set(id, key);
  at(id).replaceChildren(...build(state));
}

function specClass(spec) {
  return `spec${spec.trim().charAt(0)}`;
}

function cardFace(card) {
  return [
    element("span", "chip"),
    element("span", "title", card.title),
    element("span", "spec", spec(card.spec)),
  ];
}

function spec(version) {
  if (version === "staff") return "工作卡 staff";
  return version.trim() ? `规范 ${version.trim()}` : "";
}

function drawSlot(cards) {
  const inside = cards.find((card) => card.inserted);
  if (!inside) return [element("p", "empty", "卡口是空的 ", small("The card slot is empty"))];
  return [
    button(`card ${specClass(inside.spec)}`, () => act("pull", {}), ...cardFace(inside)),
    element("p", "hint", "卡在机器里，点它拔出 ", small("In the terminal: click to pull")),
    element("p", "hint", inside.pin ? `社保卡密码 ${inside.pin} ` : "密码由您自己改过，或还没有 ",
      small(inside.pin ? "Social security PIN" : "You changed its PIN, or it has none")),
  ];
}

function drawRack(cards) {
  return cards.map((card) => {
    const made = button(`card ${specClass(card.spec)}`, () => act("insert", { card: card.handle }), ...cardFace(card));
    made.disabled = card.inserted || cards.some((other) => other.inserted);
    made.title = card.title;
    return made;
  });
}

function buildPad(id, pad, care) {
  const press = (key) => {
    act("press", { key, pad });
    const lit = at(id).querySelector(`[data-key="${key}"]`);
    lit?.classList.add("lit");
    setTimeout(() => lit?.classList.remove("lit"), 120);
  };
  const keyButton = (name, [key, zh, en]) => {
    const value = key === "point" ? "." : key;
    const faces = zh && en ? [zh, small(en)] : [zh ?? key];
    const made = button(`key ${name} k_${key}`, () => press(value), ...faces);
    made.dataset.key = value;
    made.tabIndex = -1;
    return made;
  };
  at(id).replaceChildren(
    element("div", "digits", ...PAD.map((key) => keyButton("digit", key))),
    ...(care ? [element("div", "care", ...CARE.map((key) => keyButton("careKey", key)))] : []),
  );
  at(id).addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const key = /^[0-9]$/.test(event.key) ? event.key : /^F[1-8]$/.test(event.key) ? event.key.toLowerCase() : TYPED[event.key];
    if (!key || (!care && key.startsWith("f"))) return;
    event.preventDefault();
    press(key);
  });
}

function drawSwitches(switches) {
  return switches.map((one) => {
    const [zh, en] = SWITCHES[one.name] ?? [one.name, ""];
    const made = button(one.momentary ? "switch momentary" : "switch", () => act("fault", { name: one.name, on: !one.on }),
      element("span", "lamp"), element("span", "words", zh, small(en)));
    if (!one.momentary) made.setAttribute("aria-pressed", String(one.on));
    return made;
  });
}

// --- notes: the next one fed is of the chosen kind, once; then hands are honest again

let kind = "good";

function noteFace(yuan) {
  return element("span", `note n${yuan}`, element("b", "", `¥${yuan}`));
}

function drawEntry(lit) {
  at("entry").classList.toggle("lit", lit);
  return NOTES.map((yuan) => {
    const made = button(`note n${yuan}`, () => { act("feed", { note: yuan, kind }); choose("good"); }, element("b", "", `¥${yuan}`));
    made.title = lit ? "放入 · feed" : "纸币口没有亮灯 · the slot is not lit";
    made.setAttribute("aria-label", `放入 ${yuan} 元 · feed ¥${yuan}`);
    return made;
  });
}

function drawKinds(chosen) {
  return Object.entries(KINDS).map(([name, [zh, en]]) => {
    const made = button("kind", () => choose(name), zh, " ", small(en));
    made.setAttribute("aria-pressed", String(name === chosen));
    return made;
  });
}

function choose(name) {
  kind = name;
  draw("kinds", kind, drawKinds);
}

function drawTray(outlet) {
  if (!outlet.length) return [element("p", "empty", "出钞口是空的 ", small("The outlet is empty"))];
  const sum = outlet.reduce((all, yuan) => all + yuan, 0);
  return [
    element("span", "pile", ...outlet.map((yuan) => noteFace(yuan))),
    button("take", () => act("take_notes", {}), `取走 ¥${sum}`, small("Take")),
  ];
}

function drawInside(notes) {
  const drums = notes.drums.map(([yuan, count]) => element("span", "drum", `¥${yuan} × ${count}`));
  const staff = notes.with_staff.reduce((all, yuan) => all + yuan, 0);
  return [
    element("p", "", "钞箱 ", small("Cash box "), element("b", "", `¥${notes.box_yuan}`), small(` ${notes.box_notes} 张 notes`)),
    element("p", "", "找零 ", small("Change "), ...drums),
    ...(staff ? [element("p", "", "工作人员手里 ", small("With staff "), element("b", "", `¥${staff}`))] : []),
  ];
}

function showNotes(notes) {
  at("notes_box").hidden = !notes;
  if (!notes) return;
  draw("entry", notes.lit, drawEntry);
  draw("kinds", kind, drawKinds);
  draw("tray", notes.outlet, drawTray);
  draw("inside", notes, drawInside);
}

function drawPieces(kind, take, word) {
  return (pieces) => {
    if (!pieces.length) return [element("p", "empty", "还没有纸出来 ", small("Nothing yet"))];
    return pieces.map((piece) => {
      const pages = Array.from({ length: piece.pages }, (_, page) => {
        const image = element("img", "");
        image.src = kind === "papers" ? `/api/papers/${piece.number}.png` : `/api/sheets/${piece.number}-${page + 1}.png`;
        image.alt = `${kind} ${piece.number}, ${page + 1}`;
        const link = element("a", "", image);
        link.href = image.src;
        link.target = "_blank";
        return link;
      });
      return element("figure", kind, ...pages,
        element("figcaption", "", element("time", "", piece.at),
          button("take", () => act(`${kind}/take`, { number: piece.number }), take, small(word))));
    });
  };
}

function drawStatus(state) {
  const kiosk = state.kiosk_pid ? `终端进程 ${state.kiosk_pid}` : "终端没有运行 kiosk down";
  return [
    element("li", state.ready ? "good" : "waiting", state.ready ? "就绪 ready" : "启动中 starting"),
    element("li", "", kiosk),
    element("li", "", `重启 restarts ${state.kiosk_restarts}`),
    element("li", "", `密码方式 PIN mode ${state.pin_mode}`),
    element("li", "", state.world),
  ];
}

function show(state) {
  document.documentElement.style.setProperty("--glass-ratio", state.width_px / state.height_px);
  document.body.classList.toggle("landscape", state.width_px > state.height_px);
  draw("status", [state.ready, state.kiosk_pid, state.kiosk_restarts, state.pin_mode, state.world], () => drawStatus(state));
  draw("slot", state.cards, drawSlot);
  draw("rack", state.cards, drawRack);
  draw("switches", state.switches, drawSwitches);
  draw("papers", state.papers, drawPieces("papers", "撕下", "Tear off"));
  draw("sheets", state.sheets, drawPieces("sheets", "取走", "Take"));
  showNotes(state.notes);
  draw("voice", state.spoken, (spoken) => spoken.length ? [element("span", "speaker", "语音"), spoken[0]] : []);
  at("pad").classList.toggle("asks", state.asks_pin.includes("pin_pad"));
  at("reader_pad").classList.toggle("asks", state.asks_pin.includes("card_reader"));
  for (const [place, id] of Object.entries(LAMPS)) at(id).classList.toggle("glows", state.lamps.includes(place));
  at("reader_pad").classList.toggle("glows", state.lamps.includes("card_slot") && state.asks_pin.includes("card_reader"));
  at("reader_box").hidden = state.pin_mode !== "A";
}

buildPad("pad", "pin_pad", true);
buildPad("reader_pad", "card_reader", false);

const events = new EventSource("/api/events");
events.addEventListener("message", (event) => show(JSON.parse(event.data)));
events.addEventListener("error", () => draw("status", "gone", () => [element("li", "bad", "没有连接 not connected")]));

openScreen(at("screen"), (words) => {
  at("curtain").textContent = words;
});
