//! The body of a request, passed on to its end and no further.

use crate::{head::Body, refusal::Refusal};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};

/// How long the line with the size of a chunk, or a trailer, may be.
const LONGEST_LINE: u64 = 8 * 1024;
/// How many trailers there may be. They are dropped.
const MOST_TRAILERS: usize = 100;

/// A body that is being passed on while something else happens.
pub(crate) struct Sending<'a> {
    /// `None` once the body has ended.
    body: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>>,
}

impl<'a> Sending<'a> {
    /// Passes on a body from `early` and then `from`.
    pub(crate) fn new(
        early: &'a [u8],
        from: &'a mut (impl AsyncRead + Send + Unpin),
        to: &'a mut (impl AsyncWrite + Send + Unpin),
        body: Body,
        sent: &'a AtomicU64,
    ) -> Self {
        let body = async move {
            let mut from = BufReader::new(early.chain(from));
            match body {
                Body::None => Ok(()),
                Body::Length(length) => copy(&mut from, to, length, sent).await,
                Body::Chunked => chunks(&mut from, to, sent).await,
            }
        };
        Self { body: Some(Box::pin(body)) }
    }

    /// Waits for `main`, and passes on the body meanwhile.
    pub(crate) async fn beside<T>(&mut self, main: impl Future<Output = T>) -> Result<T, Refusal> {
        let mut main = std::pin::pin!(main);
        poll_fn(|context| {
            if let Some(body) = &mut self.body
                && let Poll::Ready(ended) = body.as_mut().poll(context)
            {
                self.body = None;
                match ended {
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                        return Poll::Ready(Err(Refusal::new(400, "the body of the request is malformed")));
                    }
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        return Poll::Ready(Err(Refusal::new(400, "the body of the request is incomplete")));
                    }
                    // If the site does not read the body, it may still respond.
                    _ => {}
                }
            }
            main.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

async fn copy(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut left: u64,
    sent: &AtomicU64,
) -> io::Result<()> {
    while left > 0 {
        let bytes = from.fill_buf().await?;
        let count = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(bytes.get(..count).unwrap_or_default()).await?;
        from.consume(count);
        sent.fetch_add(count as u64, Ordering::Relaxed);
        left -= count as u64;
    }
    Ok(())
}

/// Passes on the chunks, written anew, without their extensions and trailers.
async fn chunks(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    sent: &AtomicU64,
) -> io::Result<()> {
    loop {
        let line = line(from).await?;
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii_end();
        let is_good = (1..=15).contains(&size.len()) && size.iter().all(u8::is_ascii_hexdigit);
        let size = std::str::from_utf8(size)
            .ok()
            .filter(|_| is_good)
            .and_then(|size| u64::from_str_radix(size, 16).ok());
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        if size == 0 {
            break;
        }
        to.write_all(format!("{size:x}\r\n").as_bytes()).await?;
        copy(from, to, size, sent).await?;
        if !self::line(from).await?.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        to.write_all(b"\r\n").await?;
    }
    for _ in 0..=MOST_TRAILERS {
        if line(from).await?.is_empty() {
            return to.write_all(b"0\r\n\r\n").await;
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// A line, without its CR LF.
async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let Some(text) = line.strip_suffix(b"\r\n").filter(|text| !text.contains(&b'\r')) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    Ok(text.to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pass(body: Body, bytes: &str) -> (io::Result<()>, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut out, sent) = (Vec::new(), AtomicU64::new(0));
        // In two parts
        let (early, late) = bytes.as_bytes().split_at(bytes.len() / 2);
        let ended = runtime.block_on(async {
            let mut late = late;
            let mut sending = Sending::new(early, &mut late, &mut out, body, &sent);
            sending.body.take().unwrap().await
        });
        (ended, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_body_ends_where_it_ends() {
        assert_eq!(pass(Body::Length(5), "helloGET / HTTP/1.1").1, "hello");
        assert_eq!(pass(Body::None, "GET / HTTP/1.1").1, "");
        let chunked = "5;a=b\r\nhello\r\n00a \r\n0123456789\r\n0\r\nX: y\r\n\r\nGET /";
        assert_eq!(pass(Body::Chunked, chunked).1, "5\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n");
    }

    #[test]
    fn a_malformed_body_is_an_error() {
        let kind = |body, bytes| pass(body, bytes).0.unwrap_err().kind();
        assert_eq!(kind(Body::Length(5), "hell"), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(Body::Chunked, "5\r\nhel"), io::ErrorKind::UnexpectedEof);
        for bad in [
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello!\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "1000000000000000\r\n",
            "5;\rx\r\nhello\r\n0\r\n\r\n",
        ] {
            assert_eq!(kind(Body::Chunked, bad), io::ErrorKind::InvalidData, "{bad:?}");
        }
    }
}
