import Foundation
import Logging
import Painting
import ServiceLifecycle

/// Sees to it that one device always has work while there is any: takes jobs from the queue, has them
/// painted, and writes down how they ended.
struct DeviceRunner: Service {
  let queue: JobQueue
  let device: String
  let worker: any Worker
  /// Ends when work may begin: nothing is painted by a studio that cannot open.
  var gate: AsyncStream<Never>?

  /// Works until the studio ends, in whatever way it does, then leaves at a checkpoint.
  ///
  /// The work is in a task of its own: one that is cancelled could write nothing down any more, and what it
  /// waits for would never come.
  func run() async throws {
    if let gate {
      for await _ in gate {}
      try Task.checkCancellation()
    }
    let work = Task { await self.work() }
    await withTaskCancellationOrGracefulShutdownHandler {
      await work.value
    } onCancelOrGracefulShutdown: {
      Task { await queue.leaveAll() }
    }
  }

  private func work() async {
    while let job = await insisting(tries: .max, { try await queue.next(for: device) }) {
      await paint(job)
    }
    await worker.close()
  }

  private func paint(_ job: Job) async {
    queue.logger.info("job begins", metadata: ["job": "\(job.id)", "device": "\(device)"])
    do {
      let order = try await order(for: job)
      await queue.begins(job.id, with: worker)
      let ending = try await worker.paint(order) { report in
        try await queue.note(report, of: job)
      }
      queue.logger.info("job ends", metadata: ["job": "\(job.id)", "how": "\(ending)"])
      await insisting { try await queue.end(job.id, ending) }
    } catch let death as WorkerDeath {
      await insisting { try await queue.note(death, of: job.id) }
      // A worker that dies at once must not keep the machine busy with nothing else.
      if death.code == 127 { try? await Task.sleep(for: .seconds(1)) }
    } catch {
      queue.logger.warning(
        "job failed", metadata: ["job": "\(job.id)", "reason": "\(error)"])
      await insisting { try await queue.fail(job.id, WorkerEvent.Failure(error)) }
    }
  }

  /// What `body` gives, tried until the disk takes what is to be written down or the studio ends; nil then, or
  /// where something else than a full disk is in the way for long: one job must not keep the device.
  @discardableResult
  private func insisting<Value: Sendable>(
    tries: Int = 30, _ body: () async throws -> Value?
  ) async -> Value? {
    var left = tries
    while true {
      do {
        return try await body()
      } catch {
        queue.logger.error("cannot write down how it stands", metadata: ["why": "\(error)"])
        if !isFullDisk(error) { left -= 1 }
        guard left > 0, await queue.isOpen else { return nil }
        try? await Task.sleep(for: .seconds(2))
      }
    }
  }

  private func order(for job: Job) async throws -> JobAssignment {
    let request = try job.painted()
    var files: [JobAssignment.File] = []
    let work = try job.decodedWork()
    for reference in request.references + (work?.references ?? []) {
      guard let input = try await queue.store.input(reference.sha256) else {
        throw PaintingError.missingFile(name: reference.name)
      }
      let url = queue.folder.input(input.sha256, ending: input.ending)
      files.append(.init(reference: reference, path: url.path))
    }
    var order = JobAssignment(
      job: job.id, request: request, count: job.count, work: work,
      run: queue.folder.run(of: job.id).path,
      files: files)
    // A worker elsewhere may have begun it.
    let kept = queue.folder.kept(of: job.id)
    order.go(on: kept.checkpoint, here: Processor.kind) { kept.file($0).path }
    return order
  }
}
