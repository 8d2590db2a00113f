// An estimate for the eye while typing; the server decides. Length counts most, repetition least.
export const MINIMUM = 15;

const RUNS = ["abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890"];

// How many characters add something new: repeats, runs such as "1234" and repeated words hardly count.
function novelty(password) {
  const text = password.toLowerCase();
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    const pair = text.slice(i - 1, i + 1);
    const seen = i >= 3 && text.slice(0, i - 2).includes(text.slice(i - 2, i + 1));
    const inRun = i > 0 && (pair[0] === pair[1] || RUNS.some((run) => run.includes(pair) || run.includes(pair[1] + pair[0])));
    count += seen ? 0.1 : inRun ? 0.25 : 1;
  }
  return count;
}

function alphabet(password) {
  let size = 0;
  if (/[a-z]/.test(password)) size += 26;
  if (/[A-Z]/.test(password)) size += 26;
  if (/\d/.test(password)) size += 10;
  if (/[^a-zA-Z\d]/.test(password)) size += 20;
  return Math.max(size, 1);
}

// 0 too short, 1 weak, 2 fair, 3 good, 4 strong; thresholds in bits of a rough upper bound.
export function level(password) {
  if ([...password].length < MINIMUM) return 0;
  const bits = novelty(password) * Math.log2(alphabet(password));
  return 1 + [40, 60, 80].filter((threshold) => bits >= threshold).length;
}
