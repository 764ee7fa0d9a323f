-- Cancels a job. ARGV: id, ISO time, Unix time.
-- Answers 'canceled' (it waited), 'stopping' (it runs; its worker was told) or the status it ended with.
local id, iso_now, unix_now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local fields = redis.call('HMGET', job_key(id), 'status', 'worker_name')
local status, worker = fields[1], fields[2]
if not status then return 'missing' end
if withdraw(id) then
  end_waiting(id, 'canceled', 'canceled', 'performance.queues.exceptions.TaskCancelled',
    'Cancelled before it ran.', iso_now, unix_now)
  return 'canceled'
end
if status == 'started' then
  request_stop(id, worker)
  return 'stopping'
end
return status
