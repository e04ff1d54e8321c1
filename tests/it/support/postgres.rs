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
        connect(&self.server).await.batch_execute(&drop).await.unwrap();
    }
}

async fn connect(server: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
