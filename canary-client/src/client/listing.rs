//! Lists that come in pages.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;

use super::{Client, Target};
use crate::error::Result;
use crate::transport::{Answer, Request};

/// A list that is fetched page by page as it is read.
///
/// Items are `Result`s, since a later page may not be reachable; after an error the list has
/// ended.
///
/// # Examples
///
/// ```no_run
/// use canary_client::{Client, ProductFilter};
///
/// let client = Client::from_environment()?;
/// for product in client.products(&ProductFilter::default()) {
///     println!("{}", product?.name);
/// }
/// let newest = client.releases("etl").next().transpose()?;
/// # let _ = newest;
/// # Ok::<(), canary_client::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is fetched before the list is read"]
pub struct Listing<T> {
    client: Client,
    page: VecDeque<T>,
    /// Where the next page is, or why there is no such place.
    next: Option<Result<Target>>,
}

impl<T> Listing<T> {
    pub(super) fn new(client: Client, first: Result<Target>) -> Self {
        Self { client, page: VecDeque::new(), next: Some(first) }
    }
}

impl<T: DeserializeOwned> Listing<T> {
    fn fetch(&mut self, target: Target) -> Result<()> {
        let request = Request::get(target.0);
        let answer = self.client.ask(&request)?;
        let page = self.client.read(&answer)?;
        let next = next_page(&self.client, &request, &answer)?;
        (self.page, self.next) = (page, next.map(Ok));
        Ok(())
    }
}

impl<T: DeserializeOwned> Iterator for Listing<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.page.is_empty() {
            let target = self.next.take()?;
            if let Err(error) = target.and_then(|target| self.fetch(target)) {
                return Some(Err(error));
            }
        }
        self.page.pop_front().map(Ok)
    }
}

/// Where the page after this one is, if there is one.
pub(super) fn next_page(
    client: &Client,
    request: &Request,
    answer: &Answer,
) -> Result<Option<Target>> {
    let next = answer.link.as_deref().and_then(next_query).map(|query| {
        let path = request.target.split('?').next().unwrap_or_default();
        Target(format!("{path}?{query}"))
    });
    if next.as_ref().is_some_and(|next| next.0 == request.target) {
        return Err(client.bad_answer("the next page is the same page"));
    }
    Ok(next)
}

/// The query of the link to the next page.
///
/// Only the query is taken from it: a server behind a proxy does not know its own address, and a
/// token must not go to another one.
fn next_query(link: &str) -> Option<&str> {
    // A comma may be part of an address, so the entries are found by their brackets.
    link.split('<').skip(1).find_map(|entry| {
        let (address, parameters) = entry.split_once('>')?;
        let is_next = parameters.split([';', ',']).map(str::trim).any(|parameter| {
            parameter.eq_ignore_ascii_case("rel=\"next\"")
                || parameter.eq_ignore_ascii_case("rel=next")
        });
        if is_next { address.split_once('?').map(|(_, query)| query) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links_of_any_form() {
        let cases = [
            (r#"</product?cursor=a>; rel="next""#, Some("cursor=a")),
            ("<http://inside:8080/product?cursor=a&limit=2>; rel=next", Some("cursor=a&limit=2")),
            (r#"</p?c=0>; rel="prev", </p?c=1,2>; title="x"; rel="next""#, Some("c=1,2")),
            (r#"</p?c=0>; rel="prev""#, None),
            (r#"</p>; rel="next""#, None),
            ("nonsense", None),
            ("", None),
        ];
        for (link, want) in cases {
            assert_eq!(next_query(link), want, "{link}");
        }
    }
}
