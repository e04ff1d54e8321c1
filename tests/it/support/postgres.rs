//! A schema of its own in a PostgreSQL database, so that tests run beside each other.

use tokio_postgres::{Client, NoTls};

/// An empty schema. A test that fails leaves its own behind, to be looked at.
pub struct Schema {
    server: String,
    name: String,
}

impl Schema {
    pub async fn create(server: &str) -> Self {
        let name = format!("havre_it_{}", uuid::Uuid::new_v4().simple());
        connect(server).await.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        Self { server: server.to_owned(), name }
    }

    /// The URL under which the schema is the only one.
    pub fn url(&self) -> String {
        let joint = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{joint}options=-csearch_path%3D{}", self.server, self.name)
    }

    pub async fn remove(self) {
        let drop = format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", self.name);
        let client = connect(&self.server).await;
        // What a request left to be written beside may still hold a table: PostgreSQL then ends one of the two.
        for _ in 0..20 {
            match client.batch_execute(&drop).await {
                Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::T_R_DEADLOCK_DETECTED) => {}
                dropped => return dropped.unwrap(),
            }
        }
        panic!("{} cannot be dropped", self.name);
    }
}

async fn connect(server: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
