//! The socket of a replication connection and its frames.
//!
//! [`Wire`] reads and writes at the same time, so that a server which waits for us to read never
//! waits for us to have written first. Every method is cancel-safe: what was read or is to be
//! written stays in the buffers.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

/// Bytes asked for per read. The server sends small pieces; more rarely lie ready.
const READ_BYTES: usize = 128 << 10;

/// A socket of any kind.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// A framed connection to a Postgres server.
pub(super) struct Wire {
    reader: ReadHalf<Box<dyn Socket>>,
    writer: WriteHalf<Box<dyn Socket>>,
    /// What was read and not yet taken.
    pub(super) input: BytesMut,
    /// What is to be written.
    pub(super) output: BytesMut,
    unflushed: bool,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    pub(super) fn new(socket: Box<dyn Socket>) -> Wire {
        let (reader, writer) = tokio::io::split(socket);
        Wire {
            reader,
            writer,
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
        }
    }

    /// Reads once, and meanwhile writes what is to be written.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the server has closed the connection.
    pub(super) async fn fill(&mut self) -> io::Result<()> {
        if self.input.capacity() - self.input.len() < READ_BYTES / 2 {
            self.input.reserve(READ_BYTES);
        }
        loop {
            let to_write = self.unflushed || !self.output.is_empty();
            tokio::select! {
                biased;
                written = write(&mut self.writer, &mut self.output, &mut self.unflushed),
                    if to_write => written?,
                read = self.reader.read_buf(&mut self.input) => {
                    return match read? {
                        0 => Err(io::ErrorKind::UnexpectedEof.into()),
                        _ => Ok(()),
                    };
                }
            }
        }
    }

    /// Writes what is to be written.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while self.unflushed || !self.output.is_empty() {
            write(&mut self.writer, &mut self.output, &mut self.unflushed).await?;
        }
        Ok(())
    }

    /// Takes all frames that were read to their end; nothing if there is none.
    ///
    /// # Errors
    ///
    /// `InvalidData` if a frame's length is none.
    pub(super) fn take_frames(&mut self) -> io::Result<Option<Bytes>> {
        let mut end = 0;
        while let Some(length) = frame_length(&self.input[end..])? {
            if self.input.len() - end < length {
                self.input.reserve(length - (self.input.len() - end));
                break;
            }
            end += length;
        }
        Ok((end > 0).then(|| self.input.split_to(end).freeze()))
    }
}

/// Writes once, or flushes what was written. Cancel-safe.
async fn write(
    writer: &mut WriteHalf<Box<dyn Socket>>,
    output: &mut BytesMut,
    unflushed: &mut bool,
) -> io::Result<()> {
    if output.is_empty() {
        writer.flush().await?;
        *unflushed = false;
    } else if writer.write_buf(output).await? == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    } else {
        *unflushed = true;
    }
    Ok(())
}

/// Length of the frame that begins here, its five bytes of header included; nothing if they are
/// not all here.
pub(super) fn frame_length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let [_, a, b, c, d, ..] = *bytes else {
        return Ok(None);
    };
    match usize::try_from(i32::from_be_bytes([a, b, c, d])) {
        Ok(length) if length >= 4 => Ok(Some(length + 1)),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message has an impossible length",
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_are_taken_only_once_they_are_whole() {
        let (server, client) = tokio::io::duplex(64);
        let mut wire = Wire::new(Box::new(client));
        let (_, mut server) = tokio::io::split(server);
        server.write_all(b"d\0\0\0\x05xd\0\0\0").await.unwrap();
        wire.fill().await.unwrap();
        assert_eq!(wire.take_frames().unwrap().unwrap(), b"d\0\0\0\x05x"[..]);
        assert_eq!(wire.take_frames().unwrap(), None);
        server.write_all(b"\x04").await.unwrap();
        wire.fill().await.unwrap();
        assert_eq!(wire.take_frames().unwrap().unwrap(), b"d\0\0\0\x04"[..]);
    }

    #[tokio::test]
    async fn reading_goes_on_while_the_other_side_does_not_read() {
        let (server, client) = tokio::io::duplex(8);
        let mut wire = Wire::new(Box::new(client));
        let (_unread, mut server) = tokio::io::split(server);
        wire.output.extend_from_slice(&[0; 64]);
        server.write_all(b"d\0\0\0\x04").await.unwrap();
        wire.fill().await.unwrap();
        assert!(wire.take_frames().unwrap().is_some());
        assert!(!wire.output.is_empty());
    }

    #[test]
    fn impossible_lengths_are_errors() {
        assert_eq!(frame_length(b"d\0\0\0").unwrap(), None);
        assert_eq!(frame_length(b"d\0\0\0\x04").unwrap(), Some(5));
        assert!(frame_length(b"d\0\0\0\x03").is_err());
        assert!(frame_length(b"d\xff\xff\xff\xff").is_err());
    }
}
