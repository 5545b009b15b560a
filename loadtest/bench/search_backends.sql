-- The processes that serve the origin here.
SELECT json_agg(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vestibule-origin';
