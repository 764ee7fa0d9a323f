// Figures as people read them; performance.figures.py says the same on the server.

const BYTES = ["B", "KB", "MB", "GB", "TB"];

function digits(value) {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return Math.round(value).toLocaleString("en");
  if (size < 0.01) return size >= 1e-4 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
  return String(Number(value.toFixed(size >= 10 ? 1 : 2)));
}

function seconds(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 0.001) return `${digits(value * 1e6)} µs`;
  if (size < 1) return `${digits(value * 1e3)} ms`;
  return size < 120 ? `${digits(value)} s` : `${digits(value / 60)} min`;
}

function bytes(value) {
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < BYTES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${digits(size)} ${BYTES[unit]}`;
}

const UNITS = {
  seconds,
  bytes,
  ratio: (value) => `${digits(value * 100)} %`,
  rate: (value) => `${digits(value)}/s`,
  count: digits,
};

/** `value` of `unit` as text; a dash for what is not known. */
export function figure(value, unit) {
  return value === null || value === undefined ? "–" : UNITS[unit](value);
}

const pad = (number) => String(number).padStart(2, "0");

/** A moment (seconds since 1970) in the site's own time; with the day where spans are long. */
export function moment(at, { offsets, long }) {
  const [, offset] = offsets.findLast(([from]) => from <= at) ?? offsets[0];
  const time = new Date((at + offset) * 1000);
  const clock = `${pad(time.getUTCHours())}:${pad(time.getUTCMinutes())}`;
  const exact = at % 60 ? `${clock}:${pad(time.getUTCSeconds())}` : clock;
  return long ? `${pad(time.getUTCMonth() + 1)}-${pad(time.getUTCDate())} ${exact}` : exact;
}
