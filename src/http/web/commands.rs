//! What to type: commands of docker and podman, with the names of this registry in them.

use super::view::View;

/// The same act with one of several tools.
#[derive(Debug)]
pub(super) struct Variant {
    pub tool: &'static str,
    pub text: String,
}

/// An image of the reader's, as the commands call it.
#[derive(Debug)]
pub(super) struct Example {
    host: String,
    namespace: String,
    plain: bool,
}

impl Example {
    /// The example for this reader: in the reader's own namespace, if there is one.
    pub fn new(v: &View) -> Self {
        let namespace = v.user.as_ref().map_or_else(|| v.t("start-namespace"), |user| user.name.clone());
        Self { host: v.host.clone(), namespace, plain: v.scheme == "http" }
    }

    /// The name without its tag.
    pub fn name(&self) -> String {
        format!("{}/{}/my-app", self.host, self.namespace)
    }

    fn each(&self, lines: impl Fn(&Tool) -> Vec<String>) -> Vec<Variant> {
        let tools = [
            Tool { name: "docker", plain: "" },
            // Docker speaks plain HTTP to who is near by itself, and to others when its daemon is told to.
            Tool { name: "podman", plain: if self.plain { " --tls-verify=false" } else { "" } },
        ];
        tools.iter().map(|tool| Variant { tool: tool.name, text: lines(tool).join("\n") }).collect()
    }

    pub fn login(&self) -> Vec<Variant> {
        self.each(|tool| vec![format!("{} login{} {}", tool.name, tool.plain, self.host)])
    }

    pub fn build(&self, version: &str) -> Vec<Variant> {
        self.each(|tool| vec![format!("{} build -t {}:{version} .", tool.name, self.name())])
    }

    pub fn tag(&self) -> Vec<Variant> {
        self.each(|tool| vec![format!("{} tag my-app {}:1.0.0", tool.name, self.name())])
    }

    pub fn push(&self, version: &str) -> Vec<Variant> {
        self.each(|tool| vec![tool.push(&format!("{}:{version}", self.name()))])
    }

    pub fn pull(&self, version: &str) -> Vec<Variant> {
        self.each(|tool| vec![tool.pull(&format!("{}:{version}", self.name()))])
    }

    /// A new version under all the names by which people will ask for it.
    pub fn release(&self) -> Vec<Variant> {
        let name = self.name();
        self.each(|tool| {
            let mut lines = vec![format!("{} build -t {name}:1.1.0 .", tool.name)];
            let tags = ["1.1", "1", "latest"];
            lines.extend(tags.map(|tag| format!("{} tag {name}:1.1.0 {name}:{tag}", tool.name)));
            lines.extend(["1.1.0", "1.1", "1", "latest"].map(|tag| tool.push(&format!("{name}:{tag}"))));
            lines
        })
    }

    /// The old version under the name that moves.
    pub fn back(&self) -> Vec<Variant> {
        let name = self.name();
        self.each(|tool| {
            vec![
                tool.pull(&format!("{name}:1.0.0")),
                format!("{} tag {name}:1.0.0 {name}:latest", tool.name),
                tool.push(&format!("{name}:latest")),
            ]
        })
    }

    pub fn search(&self) -> String {
        format!("docker search {}/my-app", self.host)
    }
}

/// A tool, and what it has to be told of a registry without TLS.
struct Tool {
    name: &'static str,
    plain: &'static str,
}

impl Tool {
    fn push(&self, reference: &str) -> String {
        format!("{} push{} {reference}", self.name, self.plain)
    }

    fn pull(&self, reference: &str) -> String {
        format!("{} pull{} {reference}", self.name, self.plain)
    }
}

/// Whether a host is the machine itself, to which Docker speaks plain HTTP without being told to.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn the_machine_itself_is_known() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:80", "127.3.2.1", "[::1]:5000", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1:5000", "[2001:db8::1]", "registry", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
