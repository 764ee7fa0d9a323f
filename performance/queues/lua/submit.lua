-- Enqueues jobs. ARGV[1]: msgpack {iso_now, unix_now, jobs}; ARGV[1 + i]: the i-th job's data.
-- Answers per job {1, id} taken, {2, id of the older job} duplicate, {3, length, per minute} full.
local entries = cmsgpack.unpack(ARGV[1])
iso_now, unix_now = entries.iso_now, entries.unix_now
local answers = {}
for i, entry in ipairs(entries.jobs) do
  answers[i] = submit(entry, ARGV[1 + i])
end
return answers
