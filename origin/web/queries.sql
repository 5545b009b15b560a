-- name: features
-- What any site offers to people with disabilities, beyond having no steps.
SELECT DISTINCT unnest(accessibility) AS feature FROM site ORDER BY feature;
