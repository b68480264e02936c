// Writes times in the reader's time zone, in the form that the server uses, and names the zone. Without this script, they
// are in UTC, and the page says so.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");

// `10 May 2026`
export const day = (at) => `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;

// `14:05`
export const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;

// The difference from UTC at a time, which changes with the seasons: `UTC+2`, `UTC−3:30`
export function difference(at) {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "\u2212" : "+"}${hours}${rest === 0 ? "" : `:${two(rest)}`}`;
}

// Writes the times in a part of the page.
export function localize(part) {
  for (const time of part.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const date = time.querySelector(".date");
    if (date === null || Number.isNaN(at.getTime())) continue;
    date.textContent = `${day(at)}, ${clock(at)}`;
    time.title = `${day(at)}, ${clock(at)}:${two(at.getSeconds())} ${difference(at)}\n${time.dateTime}`;
  }
}

localize(document);
for (const zone of document.querySelectorAll("[data-zone]")) {
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  const now = difference(new Date());
  zone.textContent = name === "" || name === "UTC" ? now : `${name.replaceAll("_", " ")} (${now} today)`;
}
