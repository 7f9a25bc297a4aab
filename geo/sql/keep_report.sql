-- Keep what became of an import.
INSERT INTO import_job (
    import_id, account_id, province_code, commune_code, kind, source, started_at, finished_at,
    report, demo
)
VALUES (
    CAST(:import_id AS uuid), :account_id, :province_code, :commune_code, :kind, :source,
    :started_at, :finished_at, CAST(:report AS jsonb), :demo
)
