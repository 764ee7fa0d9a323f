-- Moves scheduled jobs that are due into their queues, at most `most` a level.
-- ARGV[1]: msgpack {levels, iso_now, most}. Answers how many.
-- RQ's scheduler lock is held for all our workers: a stock scheduler reads and moves in two steps.
local c = cmsgpack.unpack(ARGV[1])
local now, moved = server_time(), 0
for _, level in ipairs(c.levels) do
  local lock = P .. ':scheduler-lock:' .. level
  local holder = redis.call('GET', lock)
  if not holder or holder == 'performance' then
    if not holder or redis.call('TTL', lock) < 30 then redis.call('SET', lock, 'performance', 'EX', 60) end
    local ids = redis.call('ZRANGEBYSCORE', P .. ':scheduled:' .. level, '-inf', now, 'LIMIT', 0, c.most)
    for _, id in ipairs(ids) do
      redis.call('ZREM', P .. ':scheduled:' .. level, id)
      if redis.call('EXISTS', job_key(id)) == 1 then
        redis.call('HSET', job_key(id), 'status', 'queued', 'enqueued_at', c.iso_now)
        redis.call('RPUSH', queue_key(level), id)
        moved = moved + 1
      end
    end
  end
end
return moved
