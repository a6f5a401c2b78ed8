// The bodies of the parity test, included once with tokio's own sockets as `net` and once with the simulated ones. Each talks
// to itself over the loopback interface, and asserts what both kinds of socket must do alike.

use std::{future::Future, io::ErrorKind, pin::Pin};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use net::{TcpListener, TcpStream, UdpSocket};

type Body = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! bodies {
    ($bodies:ident: $(async fn $name:ident() $body:block)*) => {
        $(async fn $name() $body)*
        pub const $bodies: &[(&str, Body)] = &[$((stringify!($name), || Box::pin($name()))),*];
    };
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

fn is_send_and_debug<T: Send + Sync + std::fmt::Debug + 'static>() {}

bodies! { STREAMS:
    async fn types_can_go_anywhere() {
        is_send_and_debug::<TcpListener>();
        is_send_and_debug::<TcpStream>();
        is_send_and_debug::<UdpSocket>();
        is_send_and_debug::<net::tcp::OwnedReadHalf>();
        is_send_and_debug::<net::tcp::OwnedWriteHalf>();
        is_send_and_debug::<net::tcp::ReuniteError>();
    }

    async fn both_ends_know_each_other() {
        let (client, server) = pair().await;
        assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
        assert!(client.local_addr().unwrap().ip().is_loopback());
    }

    async fn accept_says_who_came() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        assert_eq!(accepted.unwrap().1, client.unwrap().local_addr().unwrap());
    }

    async fn bytes_go_both_ways() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"ping");
        server.write_all(b"pong").await.unwrap();
        client.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"pong");
    }

    async fn a_reader_that_waits_is_woken() {
        let (mut client, mut server) = pair().await;
        let reader = tokio::spawn(async move {
            let mut buf = [0; 3];
            server.read_exact(&mut buf).await.unwrap();
            buf
        });
        tokio::task::yield_now().await;
        client.write_all(b"hey").await.unwrap();
        assert_eq!(&reader.await.unwrap(), b"hey");
    }

    async fn more_than_any_buffer_holds_arrives_whole() {
        let (mut client, mut server) = pair().await;
        let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let expected = sent.clone();
        let writer = tokio::spawn(async move {
            client.write_all(&sent).await.unwrap();
            client.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        writer.await.unwrap();
        assert!(received == expected);
    }

    async fn shutdown_ends_one_direction() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"last words").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = String::new();
        server.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "last words");
        server.write_all(b"reply").await.unwrap();
        drop(server);
        heard.clear();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "reply");
    }

    async fn writing_after_shutdown_is_a_broken_pipe() {
        let (mut client, _server) = pair().await;
        client.shutdown().await.unwrap();
        assert_eq!(client.write_all(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    async fn dropping_ends_the_stream() {
        let (client, mut server) = pair().await;
        drop(client);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    }

    async fn dropping_with_unread_bytes_resets() {
        let (client, mut server) = pair().await;
        server.write_all(b"unread").await.unwrap();
        client.readable().await.unwrap();
        drop(client);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    async fn nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }

    async fn a_port_is_taken_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let again = TcpListener::bind(listener.local_addr().unwrap()).await;
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrInUse);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let again = UdpSocket::bind(socket.local_addr().unwrap()).await;
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    async fn a_port_is_free_again() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        drop(socket);
        assert_eq!(UdpSocket::bind(address).await.unwrap().local_addr().unwrap(), address);
    }

    async fn an_address_of_somebody_else() {
        let bound = UdpSocket::bind("203.0.113.7:9").await;
        assert_eq!(bound.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        let bound = TcpListener::bind("203.0.113.7:9").await;
        assert_eq!(bound.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    }

    async fn addresses_in_every_form() {
        let socket = UdpSocket::bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let sender = UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        sender.send_to(b"1", ("localhost".to_owned(), port)).await.unwrap();
        sender.send_to(b"2", ("127.0.0.1", port)).await.unwrap();
        sender.send_to(b"3", format!("127.0.0.1:{port}")).await.unwrap();
        sender.send_to(b"4", &[socket.local_addr().unwrap()][..]).await.unwrap();
        for expected in [b"1", b"2", b"3", b"4"] {
            let mut buf = [0; 4];
            assert_eq!(socket.recv(&mut buf).await.unwrap(), 1);
            assert_eq!(&buf[..1], expected);
        }
    }

    async fn addresses_that_are_none() {
        for text in ["nowhere", "localhost:http", "localhost:99999"] {
            assert_eq!(TcpStream::connect(text).await.unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
        }
        let none: &[std::net::SocketAddr] = &[];
        assert_eq!(TcpStream::connect(none).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    async fn the_second_address_works() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let addresses = [closed, listener.local_addr().unwrap()];
        let (client, _) = tokio::join!(TcpStream::connect(&addresses[..]), listener.accept());
        assert_eq!(client.unwrap().peer_addr().unwrap(), addresses[1]);
    }

    async fn names_are_looked_up() {
        let mut found = net::lookup_host("localhost:80").await.unwrap();
        assert!(found.any(|a| a == std::net::SocketAddr::from(([127, 0, 0, 1], 80))));
        let found: Vec<_> = net::lookup_host(("127.0.0.1", 7)).await.unwrap().collect();
        assert_eq!(found, [std::net::SocketAddr::from(([127, 0, 0, 1], 7))]);
    }

    async fn options_are_kept() {
        let (client, _server) = pair().await;
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());
        client.set_nodelay(false).unwrap();
        assert!(!client.nodelay().unwrap());
        client.set_ttl(9).unwrap();
        assert_eq!(client.ttl().unwrap(), 9);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.set_ttl(9).unwrap();
        assert_eq!(socket.ttl().unwrap(), 9);
    }

    async fn trying_does_not_wait() {
        let (client, server) = pair().await;
        let mut buf = [0; 8];
        // Real sockets learn what they are ready for by waiting.
        client.writable().await.unwrap();
        assert_eq!(server.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(client.try_write(b"tried").unwrap(), 5);
        server.readable().await.unwrap();
        assert_eq!(server.try_read(&mut buf).unwrap(), 5);
        assert_eq!(&buf[..5], b"tried");
    }

    async fn peeking_leaves_what_it_sees() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"twice").await.unwrap();
        let mut buf = [0; 5];
        assert_eq!(server.peek(&mut buf).await.unwrap(), 5);
        buf = [0; 5];
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"twice");
    }

    async fn borrowed_halves_work_side_by_side() {
        let (mut client, mut server) = pair().await;
        let echo = tokio::spawn(async move {
            let (mut read, mut write) = server.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap()
        });
        let (mut read, mut write) = client.split();
        assert_eq!(read.peer_addr().unwrap(), write.peer_addr().unwrap());
        let mut heard = [0; 6];
        let (written, read) = tokio::join!(write.write_all(b"around"), read.read_exact(&mut heard));
        written.unwrap();
        read.unwrap();
        assert_eq!(&heard, b"around");
        drop(client);
        assert_eq!(echo.await.unwrap(), 6);
    }

    async fn owned_halves_work_in_two_tasks() {
        let (client, mut server) = pair().await;
        let (mut read, mut write) = client.into_split();
        let reader = tokio::spawn(async move {
            let mut heard = String::new();
            read.read_to_string(&mut heard).await.unwrap();
            heard
        });
        write.write_all(b"from me").await.unwrap();
        let mut buf = [0; 7];
        server.read_exact(&mut buf).await.unwrap();
        server.write_all(b"to you").await.unwrap();
        drop(server);
        assert_eq!(reader.await.unwrap(), "to you");
    }

    async fn dropping_the_writing_half_ends_its_direction() {
        let (client, mut server) = pair().await;
        let (_read, write) = client.into_split();
        drop(write);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    }

    async fn a_forgotten_half_ends_nothing() {
        let (client, server) = pair().await;
        let (_read, write) = client.into_split();
        write.forget();
        tokio::task::yield_now().await;
        assert_eq!(server.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    async fn halves_are_put_together_again() {
        let ((client, mut server), (other, _)) = (pair().await, pair().await);
        let (read, write) = client.into_split();
        let (other_read, other_write) = other.into_split();
        let net::tcp::ReuniteError(read, other_write) = read.reunite(other_write).unwrap_err();
        other_read.reunite(other_write).unwrap();
        let mut client = read.reunite(write).unwrap();
        client.write_all(b"whole").await.unwrap();
        let mut buf = [0; 5];
        server.read_exact(&mut buf).await.unwrap();
    }

    async fn a_listener_serves_many() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            for _ in 0..20 {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let number = stream.read_u32().await.unwrap();
                    stream.write_u32(number * 2).await.unwrap();
                });
            }
        });
        let clients: Vec<_> = (0..20_u32)
            .map(|number| {
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    stream.write_u32(number).await.unwrap();
                    assert_eq!(stream.read_u32().await.unwrap(), number * 2);
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        server.await.unwrap();
    }

    async fn a_connect_that_is_given_up_leaves_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(TcpStream::connect(address));
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        assert_eq!(accepted.unwrap().1, client.unwrap().local_addr().unwrap());
    }
}
