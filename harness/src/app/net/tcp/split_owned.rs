//! The two directions of a connection, for two tasks.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::TcpStream;

/// The direction that reads, of [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Arc<TcpStream>,
}

/// The direction that writes, of [`TcpStream::into_split`]. Dropping it ends that direction.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Arc<TcpStream>,
    ends: bool,
}

/// Halves of two connections cannot be put together.
#[derive(Debug, Error)]
#[error("tried to reunite halves that are not from the same socket")]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

pub(super) fn split(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    let write = OwnedWriteHalf {
        stream: stream.clone(),
        ends: true,
    };
    (OwnedReadHalf { stream }, write)
}

fn reunite(read: OwnedReadHalf, mut write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
    if !Arc::ptr_eq(&read.stream, &write.stream) {
        return Err(ReuniteError(read, write));
    }
    write.ends = false;
    drop(write);
    Ok(Arc::into_inner(read.stream).expect("there are two halves of a connection"))
}

impl OwnedReadHalf {
    /// Puts the connection together again.
    ///
    /// # Errors
    /// If `other` is of another connection.
    ///
    /// # Panics
    /// Never: a connection has two halves.
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        reunite(self, other)
    }

    /// As [`TcpStream::peek`].
    ///
    /// # Errors
    /// As the system's.
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buf).await
    }

    /// As [`TcpStream::try_read`].
    ///
    /// # Errors
    /// Of kind `WouldBlock` if nothing has come.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buf)
    }

    /// As [`TcpStream::readable`].
    ///
    /// # Errors
    /// Never.
    pub async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// As [`TcpStream::local_addr`].
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// As [`TcpStream::peer_addr`].
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl OwnedWriteHalf {
    /// Puts the connection together again.
    ///
    /// # Errors
    /// If `other` is of another connection.
    ///
    /// # Panics
    /// Never: a connection has two halves.
    pub fn reunite(self, other: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        reunite(other, self)
    }

    /// Drops it without ending the direction.
    pub fn forget(mut self) {
        self.ends = false;
    }

    /// As [`TcpStream::try_write`].
    ///
    /// # Errors
    /// Of kind `WouldBlock` if there is no room.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.stream.try_write(buf)
    }

    /// As [`TcpStream::writable`].
    ///
    /// # Errors
    /// Never.
    pub async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// As [`TcpStream::local_addr`].
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// As [`TcpStream::peer_addr`].
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.ends {
            self.stream.end_writing_now();
        }
    }
}

impl AsRef<TcpStream> for OwnedReadHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}

impl AsRef<TcpStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}

impl AsyncRead for OwnedReadHalf {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.read_part(cx, buf)
    }
}

impl AsyncWrite for OwnedWriteHalf {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.write_part(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = self.stream.end_writing(cx);
        if matches!(ended, Poll::Ready(Ok(()))) {
            self.ends = false;
        }
        ended
    }
}
