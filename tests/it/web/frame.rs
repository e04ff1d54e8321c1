//! What holds for every page: its headers, its language, what there is not.

use crate::support::{Pages, on_each_engine, on_each_engine_with_accounts};

#[tokio::test]
async fn a_page_runs_no_script_but_its_own_and_stands_in_no_frame() {
    on_each_engine(async |app| {
        let mut pages = Pages::new(app);
        let [one, two] = [pages.get("/").await.expect(200), pages.get("/").await.expect(200)];
        let policy = one.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_ne!(policy, two.header("content-security-policy"));
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(one.text().contains(&format!("nonce=\"{nonce}\"")));
        assert!(!one.text().contains(" style=") && !one.text().contains(" onclick="));
        for (name, value) in
            [("x-frame-options", "DENY"), ("referrer-policy", "same-origin"), ("cache-control", "no-store")]
        {
            assert_eq!(one.header(name), value);
        }
        // What a page fetches is there, is kept for good, and is ours.
        for part in one.text().split(['"']).filter(|part| part.starts_with("/-/assets/")) {
            let file = pages.get(part.split('#').next().unwrap()).await.expect(200);
            assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        }
        let text = one.text();
        for link in text.split("href=\"").skip(1).chain(text.split("src=\"").skip(1)) {
            assert!(link.starts_with('/') || link.starts_with('#'), "{link:.60}");
        }
    })
    .await;
}

#[tokio::test]
async fn programs_get_the_plain_text_that_they_can_show() {
    on_each_engine(async |app| {
        let text = app.get("/").await.expect(200);
        assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
        assert!(text.text().contains("docker push"));
        assert_eq!(app.get("/nowhere").await.expect(404).header("content-type"), "text/plain; charset=utf-8");
    })
    .await;
}

#[tokio::test]
async fn a_page_is_in_the_language_and_the_colours_that_were_chosen() {
    on_each_engine_with_accounts(async |app| {
        let mut pages = Pages::new(app);
        assert!(pages.get("/-/sign-in").await.expect(200).text().contains("<html lang=\"en\" data-theme=\"auto\">"));
        pages.language = "fr-CH, en;q=0.5";
        let french = pages.get("/-/sign-in").await.expect(200);
        assert!(french.text().contains("<html lang=\"fr\"") && french.text().contains("Mot de passe"));
        let chosen = [("lang", "en"), ("theme", "dark"), ("back", "/-/sign-in?next=%2F")];
        let answer = pages.submit("/-/preferences", &chosen).await.expect(303);
        assert_eq!(answer.header("location"), "/-/sign-in?next=%2F");
        let page = pages.get("/-/sign-in").await.expect(200);
        assert!(page.text().contains("<html lang=\"en\" data-theme=\"dark\">"));
        // Nobody is sent elsewhere, and no word that there is not is kept.
        let wrong = [("lang", "xx"), ("theme", "\"><script>"), ("back", "https://evil.example/")];
        assert_eq!(pages.submit("/-/preferences", &wrong).await.expect(303).header("location"), "/");
        assert!(pages.get("/-/sign-in").await.text().contains("<html lang=\"en\" data-theme=\"auto\">"));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_seen_look_the_same() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/hidden", "1", "a").await;
        let mut pages = Pages::new(app);
        let page = |text: String| {
            // The number of the request and the path differ.
            text.split("<main")
                .nth(1)
                .unwrap()
                .split("</main>")
                .next()
                .unwrap()
                .replace("alice%2Fhidden", "alice%2Fnowhere")
        };
        let hidden = pages.get("/alice/hidden").await.expect(404).text();
        let nowhere = pages.get("/alice/nowhere").await.expect(404).text();
        assert_eq!(page(hidden.clone()), page(nowhere));
        assert!(hidden.contains("/-/sign-in?next=%2Falice%2Fhidden"));
        for path in ["/-/nowhere", "/a/b/-/nowhere", "/%00", "/-/sign-in/x"] {
            pages.get(path).await.expect(404);
        }
        let refused = pages.submit("/-/nowhere", &[]).await.expect(404);
        assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(pages.get("/-/preferences").await.expect(405).header("allow"), "POST");
    })
    .await;
}
