-- Puts a failed, stopped or cancelled job at the end of its queue again, as if it had never run.
-- ARGV: id, ISO time. Answers 1 if it was one of these.
local id, iso_now = ARGV[1], ARGV[2]
local origin = redis.call('HGET', job_key(id), 'origin')
if not origin then return 0 end
local removed = redis.call('ZREM', failed_key(origin), id) + redis.call('ZREM', P .. ':canceled:' .. origin, id)
if removed == 0 then return 0 end
redis.call('HDEL', job_key(id), 'deliveries', 'failures', 'stop_requested', 'expires_at', 'ended_at', 'exc_info')
redis.call('HSET', job_key(id), 'status', 'queued', 'enqueued_at', iso_now)
redis.call('PERSIST', job_key(id))
redis.call('RPUSH', queue_key(origin), id)
return 1
