use super::MIGRATIONS;

#[test]
fn migrations_are_numbered_from_one_without_gaps() {
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.version, index as i64 + 1);
        assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
    }
}
