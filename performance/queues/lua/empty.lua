-- Cancels up to `most` waiting jobs of a level, oldest first. ARGV: level, most, ISO time, Unix time.
-- Answers how many.
local ids = redis.call('LPOP', queue_key(ARGV[1]), tonumber(ARGV[2])) or {}
for _, id in ipairs(ids) do
  local sound = pcall(end_waiting, id, 'canceled', 'canceled',
    'performance.queues.exceptions.TaskCancelled', 'The level was emptied.', ARGV[3], tonumber(ARGV[4]))
  if not sound then end_damaged(id, ARGV[1], ARGV[3], tonumber(ARGV[4])) end
end
return #ids
