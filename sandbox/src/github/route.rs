//! The table of operations: one row each, used for dispatch, permissions, counting and the check against GitHub's
//! OpenAPI description.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chartflow_core::port::transport::Method;
use serde::de::DeserializeOwned;

use super::actor::{Caller, Level};
use super::http::{ApiError, ApiRequest, ApiResponse};
use super::state::State;

/// A permission a token must have.
///
/// Source: <https://docs.github.com/rest/authentication/permissions-required-for-github-apps>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// `contents`, `pull_requests`, `statuses`, …
    pub permission: &'static str,
    /// At least this much.
    pub level: Level,
}

/// Read access to a kind of thing.
#[must_use]
pub const fn read(permission: &'static str) -> Need {
    Need { permission, level: Level::Read }
}

/// Write access to a kind of thing.
#[must_use]
pub const fn write(permission: &'static str) -> Need {
    Need { permission, level: Level::Write }
}

pub(crate) type Handler = fn(&mut Context<'_>) -> Result<ApiResponse, ApiError>;

/// One operation of the API.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path as the OpenAPI description writes it.
    pub template: &'static str,
    /// The OpenAPI operation id.
    pub operation: &'static str,
    /// The permissions of which any one is enough; none for what every token may.
    pub needs: &'static [Need],
    /// Whether it makes a ref, pull request, status, comment, release, asset, attestation, dispatch or merge.
    pub creates_content: bool,
    /// The page that says how it behaves; also the `documentation_url` of its refusals.
    pub documentation: &'static str,
    pub(crate) handler: Handler,
}

/// The names of last parameters that may hold `/`: refs, paths and what is made of them.
const GREEDY: [&str; 4] = ["{ref}", "{path}", "{basehead}", "{branch}"];

impl Route {
    /// The parameters when the path is this route's.
    fn matches(&self, segments: &[String]) -> Option<BTreeMap<&'static str, String>> {
        let template: Vec<&'static str> = self.template.trim_start_matches('/').split('/').collect();
        let greedy = template.last().is_some_and(|last| GREEDY.contains(last));
        // The top directory is a path too: `contents` and `contents/` read it.
        let top = template.last() == Some(&"{path}") && segments.len() + 1 == template.len();
        if !top && (segments.len() < template.len() || (segments.len() > template.len() && !greedy)) {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (index, part) in template.iter().enumerate() {
            let value = if greedy && index + 1 == template.len() { segments[index..].join("/") } else { segments[index].clone() };
            let empty_allowed = *part == "{path}";
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) if empty_allowed || !value.is_empty() => {
                    parameters.insert(name, value);
                }
                None if value == *part => {}
                _ => return None,
            }
        }
        Some(parameters)
    }

    /// Literal segments first, then fixed lengths: the order in which routes are tried.
    fn rank(&self) -> (bool, usize) {
        let last = self.template.rsplit('/').next().unwrap_or_default();
        (GREEDY.contains(&last), self.template.matches('{').count())
    }
}

static TABLE: LazyLock<Vec<&'static Route>> = LazyLock::new(|| {
    let mut table: Vec<&'static Route> = super::ROUTES.iter().flat_map(|routes| routes.iter()).collect();
    table.sort_by_key(|route| route.rank());
    table
});

/// Every operation the embedded GitHub knows.
#[must_use]
pub fn table() -> &'static [&'static Route] {
    &TABLE
}

pub(crate) fn find(method: Method, segments: &[String]) -> Option<(&'static Route, BTreeMap<&'static str, String>)> {
    TABLE.iter().filter(|route| route.method == method).find_map(|route| route.matches(segments).map(|parameters| (*route, parameters)))
}

/// What a handler works with.
pub(crate) struct Context<'a> {
    /// Everything there is.
    pub(crate) state: &'a mut State,
    /// Who asks.
    pub(crate) caller: &'a Caller,
    /// What was sent.
    pub(crate) request: &'a ApiRequest,
    /// The path's parameters, decoded.
    pub(crate) parameters: BTreeMap<&'static str, String>,
}

/// GitHub's words for a body of the wrong shape: `Invalid request.` and what is missing or wrong.
fn invalid_request(problem: &str) -> String {
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match missing {
        Some(field) => format!("Invalid request.\n\n\"{field}\" wasn't supplied."),
        None => format!("Invalid request.\n\n{problem}."),
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// From 1.
    pub(crate) number: usize,
    /// Entries on each page.
    pub(crate) size: usize,
}

impl Context<'_> {
    /// A path parameter; 404 when the template has none of that name.
    pub(crate) fn parameter(&self, name: &'static str) -> Result<&str, ApiError> {
        self.parameters.get(name).map(String::as_str).ok_or_else(ApiError::not_found)
    }

    /// A numeric path parameter; anything else is 404.
    pub(crate) fn number(&self, name: &'static str) -> Result<u64, ApiError> {
        self.parameter(name)?.parse().map_err(|_| ApiError::not_found())
    }

    /// The JSON body. An empty body reads as `{}`.
    ///
    /// 400 `Problems parsing JSON` and 422 for a wrong shape.
    /// Source: <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#400-bad-request>
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let bytes: &[u8] = if self.request.body.is_empty() { b"{}" } else { &self.request.body };
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| ApiError::new(400, "Problems parsing JSON"))?;
        serde_json::from_value(value).map_err(|problem| ApiError::unprocessable(invalid_request(&problem.to_string())))
    }

    /// The page asked for by `page` and `per_page` (30 unless told, at most 100).
    ///
    /// Source: <https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api>
    pub(crate) fn page(&self) -> Page {
        self.page_of(30, 100)
    }

    /// As [`Context::page`], with another default and limit.
    pub(crate) fn page_of(&self, default: usize, limit: usize) -> Page {
        let value = |name| self.request.query(name).and_then(|text| text.parse::<usize>().ok()).filter(|&value| value > 0);
        Page { number: value("page").unwrap_or(1), size: value("per_page").unwrap_or(default).min(limit) }
    }

    /// 200 with the page of a list and the `link` header.
    pub(crate) fn paged<T>(&self, items: &[T], render: impl FnMut(&T) -> serde_json::Value) -> ApiResponse {
        let page = self.page();
        let start = page.size.saturating_mul(page.number - 1).min(items.len());
        let end = start.saturating_add(page.size).min(items.len());
        let body: Vec<serde_json::Value> = items[start..end].iter().map(render).collect();
        self.linked(ApiResponse::json(200, &serde_json::Value::Array(body)), page, items.len())
    }

    /// The answer with the `link` header of a list of `total` entries, when there is more than one page.
    pub(crate) fn linked(&self, response: ApiResponse, page: Page, total: usize) -> ApiResponse {
        let last = total.div_ceil(page.size).max(1);
        let mut links = Vec::new();
        let mut link = |number: usize, relation: &str| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (key, value) in self.request.query.iter().filter(|(key, _)| key != "page") {
                query.append_pair(key, value);
            }
            query.append_pair("page", &number.to_string());
            links.push(format!("<{}{}?{}>; rel=\"{relation}\"", self.state.base_url, self.request.path, query.finish()));
        };
        if page.number > 1 {
            link(page.number - 1, "prev");
        }
        if page.number < last {
            link(page.number + 1, "next");
            link(last, "last");
        }
        if page.number > 1 {
            link(1, "first");
        }
        if links.is_empty() { response } else { response.with_header("link", links.join(", ")) }
    }
}
