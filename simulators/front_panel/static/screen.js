// The live kiosk screen, by noVNC from Debian's package. Connects again whenever the display comes back.

const AGAIN_MS = 800;

export async function openScreen(place, tell) {
  tell("正在连接屏幕… Connecting to the screen…");
  let RFB;
  try {
    RFB = (await import("/novnc/core/rfb.js")).default;
  } catch {
    tell("没有装 Debian 软件包 novnc · Debian package novnc is not installed");
    return;
  }
  const connect = () => {
    const rfb = new RFB(place, `ws://${location.host}/screen`, { shared: true, wsProtocols: ["binary"] });
    rfb.scaleViewport = true;
    rfb.background = "transparent";
    rfb.showDotCursor = false;
    rfb.focusOnClick = false; // a finger has no keyboard: the pad keeps the computer's keys
    rfb.addEventListener("connect", () => tell(""));
    rfb.addEventListener("disconnect", () => {
      tell("屏幕断开，正在重连… Screen lost, connecting again…");
      setTimeout(connect, AGAIN_MS);
    });
  };
  connect();
}
