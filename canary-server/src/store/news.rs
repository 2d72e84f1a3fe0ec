//! News: what servers on one PostgreSQL tell each other after a commit.

use std::fmt;
use std::time::Duration;

use canary_core::product::ProductId;
use sea_orm::sqlx::postgres::{PgConnection, PgListener};
use sea_orm::sqlx::{self, Connection as _};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::{Changes, Dialect, Store, StoreError};

/// Most products that are named; with more, all may have changed.
const MOST_NAMED: usize = 100;

/// How often the lead is looked after, and how long an answer may take.
const PULSE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(5);

/// What a commit has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// The server that tells.
    teller: u64,
    /// The products that have changed; nothing if any may have.
    pub(crate) products: Option<Vec<ProductId>>,
    /// Whether readings have changed.
    pub(crate) readings: bool,
}

impl News {
    pub(super) fn of(changes: &Changes, teller: u64) -> Self {
        let registered = changes.products.iter().map(|new| new.product.id);
        let mut products: Vec<ProductId> =
            changes.lineups.iter().map(|row| row.product).chain(registered).collect();
        products.dedup();
        let products = Some(products).filter(|products| products.len() <= MOST_NAMED);
        Self { teller, products, readings: !changes.readings.is_empty() }
    }

    /// Reads what its `Display` wrote; what cannot be read may be anything.
    fn read(text: &str) -> Self {
        let mut parts = text.split(' ');
        let teller = parts.next().and_then(|part| u64::from_str_radix(part, 16).ok());
        let readings = parts.next() == Some("1");
        let products = match parts.next() {
            None => Some(Vec::new()),
            Some(ids) => ids.split(',').map(|id| ProductId::parse(id).ok()).collect(),
        };
        match teller {
            Some(teller) => Self { teller, products, readings },
            None => Self { teller: 0, products: None, readings: true },
        }
    }
}

/// Teller, whether readings have changed, and the products, or `*`.
impl fmt::Display for News {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x} {}", self.teller, u8::from(self.readings))?;
        match &self.products {
            None => formatter.write_str(" *"),
            Some(products) => products.iter().enumerate().try_for_each(|(number, id)| {
                let separator = if number == 0 { ' ' } else { ',' };
                write!(formatter, "{separator}{id}")
            }),
        }
    }
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Another server has changed something.
    News(News),
    /// The connection was lost and is there again: anything may have changed.
    Missed,
}

impl Heard {
    /// This, and what was heard after it.
    pub(crate) fn and(self, later: Self) -> Self {
        let (Self::News(one), Self::News(other)) = (self, later) else { return Self::Missed };
        let products = one.products.zip(other.products).map(|(mut products, more)| {
            let new = more.into_iter().filter(|id| !products.contains(id)).collect::<Vec<_>>();
            products.extend(new);
            products
        });
        Self::News(News {
            teller: other.teller,
            products,
            readings: one.readings || other.readings,
        })
    }
}

/// One who hears what other servers tell.
pub(crate) struct Listener {
    listener: PgListener,
    own: u64,
}

impl Store {
    /// Listens; nothing on SQLite, where there is one server.
    pub(crate) async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        let listener = self.listen_to(&self.news_channel()).await?;
        Ok(listener.map(|listener| Listener { listener, own: self.name }))
    }

    /// On which servers tell each other what has changed here.
    pub(super) fn news_channel(&self) -> String {
        self.place().channel("news")
    }

    /// Listens to a channel; nothing on SQLite.
    pub(super) async fn listen_to(&self, channel: &str) -> Result<Option<PgListener>, StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let mut listener = PgListener::connect(self.place().address()).await.map_err(lost)?;
        listener.listen(channel).await.map_err(lost)?;
        Ok(Some(listener))
    }
}

/// What one server alone has at a time, as long as its connection lives.
pub(crate) struct Lead(PgConnection);

impl Store {
    /// Tries to take the lead over the servers on this database; nothing if another one has it.
    pub(crate) async fn try_to_lead(&self) -> Result<Option<Lead>, StoreError> {
        let mut connection = PgConnection::connect(self.place().address()).await.map_err(lost)?;
        let sql = "SELECT pg_try_advisory_lock($1)";
        let leads: bool = sqlx::query_scalar(sql)
            .bind(self.place().lock("lead"))
            .fetch_one(&mut connection)
            .await
            .map_err(lost)?;
        Ok(leads.then_some(Lead(connection)))
    }
}

impl Lead {
    /// Lets another take the lead.
    pub(crate) async fn end(mut self) -> Result<(), StoreError> {
        let unlocked = sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut self.0).await;
        unlocked.map_err(lost)?;
        self.0.close().await.map_err(lost)
    }

    /// Waits until the lead is lost, which is when the connection is.
    pub(crate) async fn last(&mut self) {
        loop {
            tokio::time::sleep(PULSE).await;
            let pulse = tokio::time::timeout(PATIENCE, self.0.ping()).await;
            if !matches!(pulse, Ok(Ok(()))) {
                return;
            }
        }
    }
}

impl Listener {
    /// Waits for what another server tells.
    pub(crate) async fn hear(&mut self) -> Result<Heard, StoreError> {
        loop {
            let heard = self.listener.try_recv().await;
            let Some(told) = heard.map_err(lost)? else { return Ok(Heard::Missed) };
            let news = News::read(told.payload());
            if news.teller != self.own {
                return Ok(Heard::News(news));
            }
        }
    }
}

/// A connection that was lost.
pub(super) fn lost(error: SqlxError) -> StoreError {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let product = |byte| ProductId::from_bytes([byte; 16]);
        let cases = [
            News { teller: 7, products: Some(vec![]), readings: true },
            News { teller: u64::MAX, products: Some(vec![product(1)]), readings: false },
            News { teller: 0, products: Some(vec![product(1), product(2)]), readings: true },
            News { teller: 1, products: None, readings: false },
        ];
        for news in cases {
            assert_eq!(News::read(&news.to_string()), news);
        }
        assert_eq!(News::read("what?").products, None, "anything may have changed");
    }
}
