// The bodies about datagrams, included after `bodies.rs` with the same `net`.

async fn two_sockets() -> (UdpSocket, UdpSocket) {
    let [a, b] = [UdpSocket::bind("127.0.0.1:0").await, UdpSocket::bind("127.0.0.1:0").await];
    (a.unwrap(), b.unwrap())
}

bodies! { DATAGRAMS:
    async fn datagrams_keep_their_bounds() {
        let (a, b) = two_sockets().await;
        let to = b.local_addr().unwrap();
        assert_eq!(a.send_to(b"one", to).await.unwrap(), 3);
        assert_eq!(a.send_to(b"", to).await.unwrap(), 0);
        assert_eq!(a.send_to(b"three", to).await.unwrap(), 5);
        let mut buf = [0; 8];
        for len in [3, 0, 5] {
            assert_eq!(b.recv_from(&mut buf).await.unwrap(), (len, a.local_addr().unwrap()));
        }
    }

    async fn a_datagram_that_is_too_long_is_cut() {
        let (a, b) = two_sockets().await;
        a.send_to(b"12345678", b.local_addr().unwrap()).await.unwrap();
        let mut buf = [0; 4];
        assert_eq!(b.recv_from(&mut buf).await.unwrap().0, 4);
        assert_eq!(&buf, b"1234");
    }

    async fn a_connected_socket_hears_its_peer_only() {
        let ((a, b), (c, _)) = (two_sockets().await, two_sockets().await);
        a.connect(b.local_addr().unwrap()).await.unwrap();
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
        c.send_to(b"stranger", a.local_addr().unwrap()).await.unwrap();
        b.send_to(b"friend", a.local_addr().unwrap()).await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(a.recv(&mut buf).await.unwrap(), 6);
        assert_eq!(&buf[..6], b"friend");
        a.send(b"back").await.unwrap();
        assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
    }

    async fn a_socket_that_is_not_connected_has_no_peer() {
        let (a, _) = two_sockets().await;
        assert_eq!(a.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        // The kernel says that it lacks an address.
        assert!(a.send(b"x").await.is_err());
    }

    async fn trying_datagrams_does_not_wait() {
        let (a, b) = two_sockets().await;
        let mut buf = [0; 8];
        assert_eq!(b.try_recv_from(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        a.writable().await.unwrap();
        a.try_send_to(b"try", b.local_addr().unwrap()).unwrap();
        b.readable().await.unwrap();
        assert_eq!(b.try_recv_from(&mut buf).unwrap(), (3, a.local_addr().unwrap()));
        a.connect(b.local_addr().unwrap()).await.unwrap();
        a.try_send(b"more").unwrap();
        b.readable().await.unwrap();
        assert_eq!(b.try_recv(&mut buf).unwrap(), 4);
    }

    async fn peeking_at_a_datagram_leaves_it() {
        let (a, b) = two_sockets().await;
        a.send_to(b"still there", b.local_addr().unwrap()).await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(b.peek_from(&mut buf).await.unwrap().0, 11);
        assert_eq!(b.recv_from(&mut buf).await.unwrap().0, 11);
    }

    async fn two_readers_of_one_socket() {
        let (a, b) = two_sockets().await;
        let to = b.local_addr().unwrap();
        let b = std::sync::Arc::new(b);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let b = b.clone();
                tokio::spawn(async move { b.recv_from(&mut [0; 4]).await.unwrap().0 })
            })
            .collect();
        tokio::task::yield_now().await;
        for _ in 0..2 {
            a.send_to(b"x", to).await.unwrap();
        }
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 1);
        }
    }
}
