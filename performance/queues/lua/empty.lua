-- Cancels up to `most` waiting jobs of a level, those first that no limit holds up. ARGV: level, most, ISO time, Unix time.
-- Answers how many.
local ids = redis.call('LPOP', queue_key(ARGV[1]), tonumber(ARGV[2])) or {}
local blocked = #ids < tonumber(ARGV[2])
  and redis.call('ZRANGE', own('blocked_at', ARGV[1]), 0, tonumber(ARGV[2]) - #ids - 1) or {}
for _, id in ipairs(blocked) do
  if not pcall(withdraw, id) then redis.call('ZREM', own('blocked_at', ARGV[1]), id) end
  ids[#ids + 1] = id
end
for _, id in ipairs(ids) do
  local sound = pcall(end_waiting, id, 'canceled', 'canceled',
    'performance.queues.exceptions.TaskCancelled', 'The level was emptied.', ARGV[3], tonumber(ARGV[4]))
  if not sound then end_damaged(id, ARGV[1], ARGV[3], tonumber(ARGV[4])) end
end
return #ids
