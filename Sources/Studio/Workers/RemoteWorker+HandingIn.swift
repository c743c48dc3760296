import Foundation
import Logging
import Synchronization
import Weights

/// What the studio has of a job.
final class HandedIn: Sendable {
  let run: URL
  let home: URL
  let processors: [String]?
  let sent = Mutex<Set<String>>([])
  let known = Mutex<[[Int]: String]>([:])
  let last = Mutex<[String: String]>([:])

  init(run: URL, home: URL, order: JobAssignment) {
    (self.run, self.home, processors) = (run, home, order.processors)
  }
}

extension RemoteWorker {
  /// Hands in where painting stands every few seconds, until the task is cancelled.
  func keepCheckpoints(of hand: HandedIn, _ lease: Lease) async {
    while !Task.isCancelled {
      guard (try? await Task.sleep(for: .seconds(options.checkpointEvery))) != nil else { return }
      do {
        try await keepCheckpoint(of: hand, lease)
      } catch is LeaseLost {
        await painter.stop(lease.job, .discard)
        return
      } catch {
        logger.info("a checkpoint was not kept", metadata: ["why": "\(error)"])
      }
    }
  }

  /// Hands in where painting stands, if that is new.
  func keepCheckpoint(of hand: HandedIn, _ lease: Lease) async throws {
    guard let snapshot = RunSnapshot(of: hand.run, in: hand.home.appending(path: "kept")) else {
      return
    }
    defer { snapshot.remove() }
    let hashes = try await asking { try hand.known.withLock { try snapshot.hashes(&$0) } }
    guard hashes != hand.last.withLock({ $0 }) else { return }
    for (name, sha256) in hashes {
      if let file = snapshot.files[name] { try await handIn(file, sha256, hand, lease) }
    }
    let checkpoint = KeptFiles.Checkpoint(
      files: hashes, processors: hand.processors ?? [processor])
    let answer = try await insist(lease) {
      try $0.post("/worker/checkpoint", checkpoint, lease: lease)
    }
    guard answer.status < 300 else { throw StudioClient.Failure(description: answer.detail) }
    hand.last.withLock { $0 = hashes }
    // Of what the new one does not name the studio keeps nothing.
    hand.sent.withLock { $0 = Set(hashes.values) }
  }

  private func handIn(_ file: URL, _ sha256: String, _ hand: HandedIn, _ lease: Lease) async throws
  {
    guard !hand.sent.withLock({ $0.contains(sha256) }) else { return }
    let answer = try await insist(lease) {
      try $0.put("/worker/files/\(sha256)", file, lease: lease)
    }
    guard answer.status < 300 else { throw StudioClient.Failure(description: answer.detail) }
    hand.sent.withLock { _ = $0.insert(sha256) }
  }

  /// Hands in a finished picture.
  func handIn(_ result: WorkerEvent.Result, _ hand: HandedIn, _ lease: Lease) async throws {
    func send(_ path: String?) async throws -> String? {
      guard let path else { return nil }
      let file = URL(filePath: path)
      let sha256 = try await asking { try Checksum.sha256(of: file) }
      try await handIn(file, sha256, hand, lease)
      return sha256
    }
    guard let picture = try await send(result.path) else { return }
    let told = WorkPicture(
      place: result.place, picture: picture, film: try await send(result.film),
      attention: try await send(result.attention), trace: try await send(result.trace),
      metadata: result.metadata, score: result.score, stopped: result.stopped)
    let answer = try await insist(lease) { try $0.post("/worker/pictures", told, lease: lease) }
    guard answer.status < 300 else {
      throw WorkerEvent.Failure(
        reason: "The studio did not take the picture: \(answer.detail)", field: nil)
    }
  }
}
