"""Which JavaScript-level observations are not asked here, and where an answer is another one."""

NO_BODIES = "its Worker's functions are not in the observation"

LEFT_OUT_RECORDS = {
    "d1.migrations": "made with wrangler; tests of the migrations have it",
    "do.stub": NO_BODIES,
    "do.missing": NO_BODIES,
    "do.rpc.results": NO_BODIES,
    "do.errors": NO_BODIES,
    "do.gates": NO_BODIES,
    "do.fn": NO_BODIES,
    "do.evicted": NO_BODIES,
    "do.abort.later": NO_BODIES,
    "do.alarm.past": NO_BODIES,
    "do.alarm.throws2": NO_BODIES,
    "do.alarm.setAndThrow": NO_BODIES,
    "do.alarm.again": NO_BODIES,
    "do.alarm.putThrow": NO_BODIES,
    "do.alarm.deleteInside": NO_BODIES,
    "q.fetcher": "calls a service binding of JavaScript's own Worker",
    "q.fetcher.none": "calls a service binding of JavaScript's own Worker",
    "other.vars": "asks what `env` itself is, which Python code never sees",
}
"""By record: why."""

ORDER = "lists an object's own properties"
EARLIER = "shows what an earlier observation left in the database"

LEFT_OUT = {
    ("r2.get.onlyIf", "failedProps"): ORDER,
    ("kv.put.types", "symbol"): "puts a symbol, which Python code has not",
    ("d1.allowed", "PRAGMA data_version"): EARLIER,
    ("d1.allowed", "SELECT changes() AS c, last_insert_rowid() AS l, total_changes() AS tc"): EARLIER,
    ("d1.allowed", "SELECT * FROM sqlite_schema LIMIT 1"): EARLIER,
    ("d1.master", "autoinc"): EARLIER,
    ("do.storage.tx", "txnNames"): ORDER,
    ("do.storage.names", "exportsCls"): "its Worker had other classes",
    ("do.ids", "getOfOther"): ORDER,
    ("do.ids", "json"): ORDER,
    ("d1.batch.atomic", "strings"): "ends with a stack of the local runtime's own files",
}
"""Single labels of the others: why."""

DIFFERS = {}
"""By record and label: what is expected in place of what was observed, and why."""

NEEDS_SQLITE = {
    ("d1.allowed", "SELECT jsonb('{}') AS v"): (3, 45),
    ("d1.allowed", "EXPLAIN QUERY PLAN SELECT * FROM t"): (3, 45),
}
"""Records and labels that need a newer SQLite than some Pythons have."""
