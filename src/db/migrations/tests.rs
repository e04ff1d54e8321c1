use super::*;
use crate::db::tests::support::with_schema;

#[test]
fn migrations_are_numbered_from_one_without_gaps() {
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.version, index as i64 + 1);
        assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
    }
}

/// What a later version might bring.
fn steps(second: &'static str) -> [Migration; 2] {
    let first = "CREATE TABLE things (name TEXT NOT NULL)";
    [
        Migration { version: 1, name: "0001_things", sqlite: first, postgres: first },
        Migration { version: 2, name: "0002_more", sqlite: second, postgres: second },
    ]
}

const MORE: &str = "ALTER TABLE things ADD COLUMN size BIGINT; UPDATE things SET size = 1";

fn migrate(path: &Path, known: &[Migration]) -> Result<(), Error> {
    let mut connection = Connection::open_writer(path)?;
    connection.batch("BEGIN IMMEDIATE")?;
    let result = migrate_sqlite(&mut connection, path, known);
    connection.batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    result
}

fn sizes(path: &Path) -> Result<usize, Error> {
    Connection::open_writer(path)?.query("SELECT size FROM things", &[]).map(|rows| rows.len())
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_of_an_older_version_is_copied_before_it_is_migrated() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("havre.db");
    migrate(&path, &steps(MORE)[..1]).unwrap();
    Connection::open_writer(&path).unwrap().batch("INSERT INTO things VALUES ('kept')").unwrap();
    assert_eq!(files(directory.path()), ["havre.db"], "a new file is not copied");

    migrate(&path, &steps(MORE)).unwrap();
    assert_eq!(files(directory.path()), ["havre.db", "havre.db.before-0002"]);
    assert_eq!(sizes(&path).unwrap(), 1);
    let copy = directory.path().join("havre.db.before-0002");
    assert!(sizes(&copy).is_err(), "the copy is as the file was before");
    let kept = Connection::open_writer(&copy).unwrap().query("SELECT name FROM things", &[]).unwrap();
    assert_eq!(kept.len(), 1);

    std::fs::remove_file(&copy).unwrap();
    migrate(&path, &steps(MORE)).unwrap();
    assert_eq!(files(directory.path()), ["havre.db"], "nothing to do, nothing to copy");
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("havre.db");
    migrate(&path, &steps(MORE)[..1]).unwrap();
    migrate(&path, &steps("ALTER TABLE things ADD COLUMN size BIGINT; nonsense")).unwrap_err();
    assert!(sizes(&path).is_err());
    // A second attempt writes its copy over the first one's.
    migrate(&path, &steps(MORE)).unwrap();
    assert_eq!(sizes(&path).unwrap(), 0);
    assert_eq!(migrate(&path, &steps(MORE)[..1]).unwrap_err().kind, Kind::SchemaTooNew);
}

#[tokio::test]
async fn postgres_is_migrated_in_one_transaction() {
    with_schema(async |schema| {
        let (client, connection) = tokio_postgres::connect(&schema.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let migrate = async |known: &[Migration]| {
            client.batch_execute("BEGIN").await.unwrap();
            let result = migrate_postgres(&client, known).await;
            client.batch_execute(if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.unwrap();
            result
        };
        migrate(&steps(MORE)[..1]).await.unwrap();
        migrate(&steps("ALTER TABLE things ADD COLUMN size BIGINT; nonsense")).await.unwrap_err();
        assert!(client.query("SELECT size FROM things", &[]).await.is_err());
        migrate(&steps(MORE)).await.unwrap();
        client.query("SELECT size FROM things", &[]).await.unwrap();
        assert_eq!(migrate(&steps(MORE)[..1]).await.unwrap_err().kind, Kind::SchemaTooNew);
    })
    .await;
}
