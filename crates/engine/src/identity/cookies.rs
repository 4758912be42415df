//! The cookie of a session, and whether a request comes from our own pages: as text, without HTTP.

/// Name of the cookie over plain HTTP.
const NAME: &str = "allclear_session";
/// The same over HTTPS: browsers hold what is so named to `Secure`, `Path=/` and no `Domain`
/// (RFC 6265bis), so that no neighbour can set it.
const NAME_SECURE: &str = "__Host-allclear_session";
/// The cookie by which a device is known again.
const DEVICE: &str = "allclear_device";
const DEVICE_SECURE: &str = "__Host-allclear_device";

/// The name of our cookie for this base URL.
#[must_use]
pub fn name(base_url: &str) -> &'static str {
    if is_secure(base_url) { NAME_SECURE } else { NAME }
}

fn is_secure(base_url: &str) -> bool {
    base_url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

const fn device_name(is_secure: bool) -> &'static str {
    if is_secure { DEVICE_SECURE } else { DEVICE }
}

/// The value of `Set-Cookie` by which a device is known again.
#[must_use]
pub fn set_device(base_url: &str, device: &str) -> String {
    named(
        device_name(is_secure(base_url)),
        base_url,
        device,
        crate::identity::visitor::DEVICE_LIFE.as_secs().try_into().unwrap_or(i64::MAX),
    )
}

/// The device among the cookies of a request.
#[must_use]
pub fn device<'a>(base_url: &str, cookies: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    value_of(device_name(is_secure(base_url)), cookies)
}

fn named(name: &str, base_url: &str, value: &str, max_age_s: i64) -> String {
    let secure = if is_secure(base_url) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}")
}

fn value_of<'a>(name: &str, cookies: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut pairs = cookies.into_iter().flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(said, _)| *said == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// The value of `Set-Cookie` that keeps a session for so many seconds; with none it is forgotten.
#[must_use]
pub fn set(base_url: &str, token: &str, max_age_s: i64) -> String {
    named(name(base_url), base_url, token, max_age_s)
}

/// Our token among the cookies of a request.
#[must_use]
pub fn token<'a>(base_url: &str, cookies: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    value_of(name(base_url), cookies)
}

/// Whether a request that changes something comes from our own pages, by what browsers say of it and
/// scripts cannot forge: `Sec-Fetch-Site`, else `Origin`. Whoever says neither is no browser of this
/// decade, and no other site's page can make such a one send our cookie.
#[must_use]
pub fn is_own_site(fetch_site: Option<&str>, origin: Option<&str>, host: Option<&str>, base_url: &str) -> bool {
    if let Some(site) = fetch_site {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = origin else { return true };
    if origin.eq_ignore_ascii_case(&origin_of(base_url)) {
        return true;
    }
    // Reached by another name than the one that is set: then both sides name the same host.
    origin.split_once("://").is_some_and(|(_, said)| host.is_some_and(|host| host.eq_ignore_ascii_case(said)))
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = if is_secure(url) { ":443" } else { ":80" };
    format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_under_its_own_name_only() {
        let plain = "http://h:8080";
        assert_eq!(token(plain, ["a=b; allclear_session=tok=en", "c=d"]), Some("tok=en"));
        assert_eq!(token("https://h", ["allclear_session=planted; __Host-allclear_session=x"]), Some("x"));
        assert_eq!(token(plain, ["xallclear_session=t", "allclear_session="]), None);
        assert_eq!(set("https://h", "t", 5), "__Host-allclear_session=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=5; Secure");
        assert!(!set(plain, "t", 5).contains("Secure"));
    }

    #[test]
    fn only_our_own_pages_count_as_such() {
        let own = |site, origin, host| is_own_site(site, origin, host, "https://ops.example.org/");
        assert!(own(Some("same-origin"), Some("null"), None));
        for site in ["cross-site", "same-site", ""] {
            assert!(!own(Some(site), Some("https://ops.example.org"), None), "{site}");
        }
        assert!(own(None, Some("https://ops.example.org"), Some("proxy:8080")));
        assert!(own(None, Some("http://10.0.0.5:8080"), Some("10.0.0.5:8080")));
        assert!(own(None, None, None));
        for origin in ["null", "https://evil.example", "https://ops.example.org.evil.example", ""] {
            assert!(!own(None, Some(origin), Some("ops.example.org")), "{origin}");
        }
    }
}
