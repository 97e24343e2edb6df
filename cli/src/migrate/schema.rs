//! What a database is made of, as lines of text that can be compared: tables, columns, constraints,
//! indexes, views, functions, types, triggers, sequences, and what is published.

/// The query for those lines, one column of text, in order. What extensions bring, and the list of
/// applied migrations, are left out.
pub(crate) const LINES: &str = "
WITH ours AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), rel AS (
    SELECT c.oid, c.relkind, c.relreplident, c.relpersistence, n.nspname || '.' || c.relname AS name
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
    WHERE c.relname <> 'seaql_migrations' AND c.relname <> 'seaql_migrations_pkey'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
), lines AS (
    SELECT 'table ' || name || ', kind ' || relkind::text || ', persistence ' || relpersistence::text
        || ', replica identity ' || relreplident::text AS line
    FROM rel WHERE relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT 'column ' || r.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
        || CASE a.attgenerated WHEN '' THEN '' ELSE ' generated' END
        || CASE a.attidentity WHEN '' THEN '' ELSE ' identity ' || a.attidentity::text END
    FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint ' || r.name || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN rel r ON r.oid = c.conrelid
    UNION ALL
    SELECT 'index ' || pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN rel r ON r.oid = i.indrelid
    UNION ALL
    SELECT 'view ' || name || ' ' || pg_get_viewdef(oid) FROM rel WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT 'sequence ' || name FROM rel WHERE relkind = 'S'
    UNION ALL
    SELECT 'trigger ' || r.name || ' ' || pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'function ' || pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'type ' || n.nspname || '.' || t.typname || coalesce(' ' || (
            SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
            FROM pg_enum e WHERE e.enumtypid = t.oid), '')
    FROM pg_type t JOIN ours n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('d', 'e')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'schema ' || nspname FROM ours WHERE nspname <> 'public'
    UNION ALL
    SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT 'published ' || pubname || ' ' || schemaname || '.' || tablename
    FROM pg_publication_tables
)
SELECT line FROM lines ORDER BY line COLLATE \"C\"";

/// Lines of `left` that `right` lacks, and the other way round. Both are sorted.
pub(crate) fn differences<'a>(left: &'a [String], right: &'a [String]) -> [Vec<&'a str>; 2] {
    let only = |these: &'a [String], those: &[String]| {
        let lacking = these.iter().filter(|line| !those.contains(line));
        lacking.map(String::as_str).collect()
    };
    [only(left, right), only(right, left)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let [gone, new] = [lines("a b c"), lines("a c d")];
        assert_eq!(differences(&gone, &new), [vec!["b"], vec!["d"]]);
        assert_eq!(differences(&new, &new), [vec![], Vec::<&str>::new()]);
    }
}
