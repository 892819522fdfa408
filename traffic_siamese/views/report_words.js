// Times, lengths of time and figures as people read them; all times are UTC.
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

function day(ms) {
  const date = new Date(ms);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}
const briefly = (ms) => `${day(ms).slice(0, -5)} ${clock(ms).slice(0, 5)}`;
const sameDay = (one, other) => day(one) === day(other);
const moment = (ms) => `${day(ms)} ${clock(ms)}`;

function span(start, end) {
  return sameDay(start, end) ? `${clock(start)}–${clock(end)}` : `${moment(start)} – ${moment(end)}`;
}

function lasting(ms) {
  const seconds = Math.round(ms / 1000), minutes = Math.floor(seconds / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

const number = (n) => n.toLocaleString("en");
const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
const percent = (share) => `${Math.round(100 * share)} %`;

// The last part of a path is what tells captures apart; the folders before it are shown smaller.
function pathParts(name) {
  const at = Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\"));
  return { folder: name.slice(0, at + 1), file: name.slice(at + 1) };
}

// How many characters of folders all names begin with.
function commonFolders(names) {
  const folders = names.map((name) => pathParts(name).folder);
  let common = folders[0] ?? "";
  for (const folder of folders) while (!folder.startsWith(common)) common = common.slice(0, -1);
  return pathParts(common).folder.length;
}

function longestIncident(log) {
  return log.incidents.reduce(
    (best, one) => (!best || one.end - one.start > best.end - best.start ? one : best), null);
}

function summary(log) {
  if (log.error) return "not read";
  if (!log.incidents.length) return "no incident";
  const longest = longestIncident(log);
  const more = log.incidents.length > 1 ? ` +${log.incidents.length - 1}` : "";
  return `${longest.label} ${lasting(longest.end - longest.start)}${more}`;
}

// Why a label and not the next one, in one sentence.
function runnerUpWords(incident, more) {
  if (!more.second) return "";
  if (incident.label === "unknown") {
    return `Most like ${more.second}, but too different from every example to be called so.`;
  }
  if (more.either) return `It might as well be ${more.second}: nearly as near.`;
  if (!more.times) return `Next nearest: ${more.second}.`;
  const times = more.times >= 10 ? Math.round(more.times) : more.times.toFixed(1);
  return `Next nearest: ${more.second}, ${times} times as far away.`;
}

function rarityWords(more) {
  if (more.per_day === null) return "";
  if (more.per_day >= 1) {
    return `Normal traffic looks like this about ${Math.round(more.per_day)} times a day.`;
  }
  const days = 1 / more.per_day;
  if (days < 14) return `Normal traffic looks like this once in ${Math.round(days)} days.`;
  if (days < 1000) return `Normal traffic looks like this once in ${Math.round(days / 30)} months.`;
  return "Normal traffic hardly ever looks like this.";
}
