import Foundation
import Glibc
import Hummingbird
import HummingbirdTesting
import Painting
import Synchronization
import TestSupport
import Testing

@testable import Studio

/// A studio that cannot open or is told to end, and clients that leave.
@Suite(.timeLimit(.minutes(5))) struct LeavingTests {
  private func server(_ host: String, _ port: Int) async throws -> Bench {
    try await Bench {
      $0.host = host
      $0.port = port
    }
  }

  @Test("a port that another program has is told at once, and nothing stays behind")
  func takenPort() async throws {
    let other = try Socket.listening()
    defer { other.close() }
    let bench = try await server("127.0.0.1", other.port)
    // Work that waits is not begun by a studio that cannot open.
    let job = try await bench.submit("a fox")[0]
    let worker = FakeWorker()
    let error = await #expect(throws: StudioError.self) {
      try await bench.server.run(anyWorkers: [worker]) { _ in }
    }
    #expect(
      error?.description
        == "Port \(other.port) of 127.0.0.1 cannot be had: another program may have the port. Choose "
        + "another --port.")
    #expect(worker.painted.isEmpty)
    #expect(try await bench.store.job(job.id)?.state == .queued)
  }

  @Test(
    "addresses that cannot be listened on are told with their reason",
    arguments: [
      ("203.0.113.5", "no address of this machine"),
      ("no-such-host.invalid", "no machine is known"),
    ])
  func address(_ host: String, _ reason: String) async throws {
    let bench = try await server(host, 0)
    let error = await #expect(throws: StudioError.self) {
      try await bench.server.run(anyWorkers: [FakeWorker()]) { _ in }
    }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test("a studio whose task is cancelled ends, and what was painted waits for the next one")
  func cancelled() async throws {
    let bench = try await server("127.0.0.1", 0)
    let worker = FakeWorker()
    worker.script("a fox", [.wait])
    let job = try await bench.submit("a fox")[0]
    let run = Task { try await bench.server.run(anyWorkers: [worker]) { _ in } }
    try await bench.wait(for: job.id, "being painted") { $0.state == .painting && $0.step != nil }
    run.cancel()
    _ = await run.result
    #expect(try await bench.store.job(job.id)?.state == .queued)
  }

  @Test(
    "a client that leaves frees the machine, be it that it waits for an answer or reads a stream",
    arguments: [
      ("/sdapi/v1/txt2img", #"{"prompt":"a fox"}"#),
      ("/v1/images/generations", #"{"prompt":"a fox"}"#),
      ("/v1/images/generations", #"{"prompt":"a fox","stream":true}"#),
    ])
  func leaves(_ path: String, _ body: String) async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a fox", [.wait])
    try await bench.painting(worker) {
      try await Application(router: bench.server.router()).test(.live) { client in
        let socket = try Socket.connected(to: try #require(client.port))
        socket.send(
          "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await wait(for: "the job to be painted") {
          let page = try await bench.store.jobs([.painting], after: nil, limit: 1)
          return page.jobs.first?.step != nil
        }
        let job = try #require(
          try await bench.store.jobs([.painting], after: nil, limit: 1).jobs.first)
        socket.close()
        let ended = try await bench.wait(for: job.id)
        #expect(ended.state == .cancelled)
      }
    }
  }

  @Test("a client's jobs that still wait when it leaves are cancelled as well")
  func leavesSeveral() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a fox", [.wait, .wait, .wait])
    try await bench.painting(worker) {
      try await Application(router: bench.server.router()).test(.live) { client in
        let socket = try Socket.connected(to: try #require(client.port))
        let body = #"{"prompt":"a fox","n_iter":3}"#
        socket.send(
          "POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + "\(body.utf8.count)\r\n\r\n\(body)")
        try await wait(for: "three jobs") {
          try await bench.store.jobs([], after: nil, limit: 9).jobs.count == 3
        }
        socket.close()
        try await wait(for: "their end") {
          try await bench.store.jobs([.cancelled], after: nil, limit: 9).jobs.count == 3
        }
      }
    }
  }
}

/// A plain socket of this machine.
struct Socket {
  let number: Int32
  let port: Int

  private static func made(_ act: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ port: Int)
    throws -> Socket
  {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        let result = act(number, raw, size)
        getsockname(number, raw, &size)
        return result
      }
    }
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    return Socket(number: number, port: Int(UInt16(bigEndian: address.sin_port)))
  }

  /// One on a free port, which it keeps.
  static func listening() throws -> Socket {
    let socket = try made(bind, 0)
    guard listen(socket.number, 1) == 0 else { throw POSIXError(.EIO) }
    return socket
  }

  static func connected(to port: Int) throws -> Socket { try made(connect, port) }

  func send(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
  }

  func close() { _ = Glibc.close(number) }
}
