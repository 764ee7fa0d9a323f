-- Runs a periodic task when it is due: one worker wins, and what was missed is made up once.
-- ARGV[1]: msgpack {iso_now, unix_now, name, declared, next, job}; ARGV[2]: the job's data.
-- Answers 1 if it was enqueued, 2 if its last run still waits or runs, 0 if not due, -1 if paused.
local c = cmsgpack.unpack(ARGV[1])
iso_now, unix_now = c.iso_now, c.unix_now
local stored = redis.call('HGET', own('schedules'), c.name)
local due, declared = nil, nil
if stored then due, declared = string.match(stored, '^(%S+) (.*)$') end
local next_run = string.format('%.3f', c.next) .. ' ' .. c.declared
if declared ~= c.declared then
  redis.call('HSET', own('schedules'), c.name, next_run)
  return 0
end
if redis.call('SISMEMBER', own('schedules', 'paused'), c.name) == 1 then return -1 end
if tonumber(due) > unix_now then return 0 end
redis.call('HSET', own('schedules'), c.name, next_run)
return submit(c.job, ARGV[2])[1]
