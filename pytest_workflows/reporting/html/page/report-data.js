// The session: what the report's own parts read.

const data = JSON.parse(document.getElementById("report-data").textContent);
const recordings = new Map();

function recording(index) {
  if (!recordings.has(index)) recordings.set(index, JSON.parse(document.getElementById(`r${index}`).textContent));
  return recordings.get(index);
}
