//! What people read in a Helm chart: its values and its README, out of an archive that a stranger packed.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use oci::RepositoryName;

use super::outline::Outline;
use super::{Found, bytes, text};
use crate::registry::{Ctx, Error, Registry, blobs};

/// Largest archive that is opened. Those of charts have some 100 KiB.
const PACKED: usize = 4 * 1024 * 1024;
/// At most this much of what it unpacks to is looked at.
const UNPACKED: u64 = 16 * 1024 * 1024;
/// At most this many of its entries.
const ENTRIES: usize = 2_000;
/// For at most this long.
const TIME: Duration = Duration::from_secs(1);
/// At most this much of a file is read.
const FILE: u64 = 128 * 1024;
/// Longest text that is shown, in characters.
const SHOWN: usize = 64 * 1024;

/// What a chart tells people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// `values.yaml`: what can be set.
    pub values: Option<String>,
    /// `README.md`.
    pub readme: Option<String>,
}

impl Chart {
    pub(super) fn weight(&self) -> usize {
        128 + [&self.values, &self.readme].into_iter().flatten().map(String::len).sum::<usize>()
    }

    /// Reads an archive until both files were found, or a bound is met: what was found by then counts.
    pub(super) fn read(packed: &[u8]) -> Self {
        let mut chart = Self::default();
        let until = Until { inner: MultiGzDecoder::new(packed), end: Instant::now() + TIME };
        let mut archive = tar::Archive::new(until.take(UNPACKED));
        let Ok(entries) = archive.entries() else { return chart };
        for entry in entries.take(ENTRIES) {
            let Ok(entry) = entry else { break };
            let Some(file) = chart.wants(&entry.path_bytes()) else { continue };
            let mut found = Vec::new();
            if entry.take(FILE).read_to_end(&mut found).is_err() {
                break;
            }
            let text = Some(text::shown(&String::from_utf8_lossy(&found), SHOWN));
            match file {
                File::Values => chart.values = text,
                File::Readme => chart.readme = text,
            }
            if chart.values.is_some() && chart.readme.is_some() {
                break;
            }
        }
        chart
    }

    /// Which file a path within the archive is, as long as it is not read yet: `chart/values.yaml`, and not that of another
    /// chart further below.
    fn wants(&self, path: &[u8]) -> Option<File> {
        let path = std::str::from_utf8(path).ok()?;
        let (_, name) = path.trim_start_matches("./").split_once('/')?;
        match name {
            "values.yaml" if self.values.is_none() => Some(File::Values),
            "README.md" if self.readme.is_none() => Some(File::Readme),
            _ => None,
        }
    }
}

enum File {
    Values,
    Readme,
}

/// Reads until a moment: what unpacks slowly shall not keep a thread.
struct Until<R> {
    inner: R,
    end: Instant,
}

impl<R: Read> Read for Until<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() > self.end {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.inner.read(buffer)
    }
}

/// Opens the archive of a chart. It is looked for in the repository each time, also where it was read before.
pub async fn chart(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    outline: &Outline,
) -> Result<Found<Arc<Chart>>, Error> {
    let part = outline.layers.shown.iter().find(|layer| layer.media_type.contains("helm.chart.content"));
    let Some(part) = part else { return Ok(Found::None) };
    let blob = match blobs::find(registry, ctx, repository, &part.digest).await {
        Ok(blob) => blob,
        Err(Error::BlobUnknown { .. } | Error::BlobDamaged(_)) => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    if let Some(found) = registry.images.charts.get(&part.digest) {
        return Ok(Found::Read(found));
    }
    let packed = match bytes(registry, ctx, &blob, PACKED).await {
        Ok(Some(packed)) => packed,
        Ok(None) => return Ok(Found::TooLong),
        Err(Error::BlobDamaged(_)) => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    let chart = tokio::task::spawn_blocking(move || Chart::read(&packed)).await.unwrap_or_default();
    let chart = Arc::new(chart);
    registry.images.charts.insert(part.digest, Arc::clone(&chart));
    Ok(Found::Read(chart))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::Chart;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_cksum();
            archive.append_data(&mut header, path, *content).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn values_and_readme_of_the_chart_itself_are_found() {
        let files: [(&str, &[u8]); 4] = [
            ("app/charts/db/values.yaml", b"of another"),
            ("app/Chart.yaml", b"name: app"),
            ("app/values.yaml", b"replicas: 1\n"),
            ("app/README.md", "# App \u{202e}".as_bytes()),
        ];
        let chart = Chart::read(&packed(&files));
        assert_eq!(chart.values.as_deref(), Some("replicas: 1\n"));
        assert_eq!(chart.readme.as_deref(), Some("# App \u{fffd}"));
    }

    #[test]
    fn an_archive_that_is_none_or_has_no_end_costs_little() {
        assert_eq!(Chart::read(b""), Chart::default());
        assert_eq!(Chart::read(b"no archive"), Chart::default());
        let whole = packed(&[("app/values.yaml", b"a: 1")]);
        for cut in 0..whole.len() {
            Chart::read(&whole[..cut]);
        }
        // What lies behind much else is not waited for.
        let zeros = vec![0; 17 * 1024 * 1024];
        let files: [(&str, &[u8]); 2] = [("app/zeros", &zeros), ("app/values.yaml", b"a: 1")];
        assert_eq!(Chart::read(&packed(&files)), Chart::default());
        let many: Vec<String> = (0..2_100).map(|n| format!("app/{n}")).collect();
        let mut files: Vec<(&str, &[u8])> = many.iter().map(|path| (path.as_str(), &b""[..])).collect();
        files.push(("app/values.yaml", b"a: 1"));
        assert_eq!(Chart::read(&packed(&files)), Chart::default());
        let long = vec![b'a'; 1024 * 1024];
        let chart = Chart::read(&packed(&[("app/values.yaml", &long)]));
        assert_eq!(chart.values.unwrap().chars().count(), 64 * 1024 + 1);
        let mut garbage = GzEncoder::new(Vec::new(), Compression::fast());
        garbage.write_all(&vec![0xff; 100_000]).unwrap();
        assert_eq!(Chart::read(&garbage.finish().unwrap()), Chart::default());
    }
}
