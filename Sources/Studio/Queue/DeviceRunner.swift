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

  /// Works until the studio ends, then leaves at a checkpoint.
  func run() async throws {
    try await withGracefulShutdownHandler {
      while let job = try await queue.next(for: device) { try await paint(job) }
      await worker.close()
    } onGracefulShutdown: {
      Task { await queue.leaveAll() }
    }
  }

  private func paint(_ job: Job) async throws {
    queue.logger.info("job begins", metadata: ["job": "\(job.id)", "device": "\(device)"])
    do {
      let order = try await order(for: job)
      await queue.begins(job.id, with: worker)
      let ending = try await worker.paint(order) { report in
        try await queue.note(report, of: job)
      }
      queue.logger.info("job ends", metadata: ["job": "\(job.id)", "how": "\(ending)"])
      try await queue.end(job.id, ending)
    } catch let death as WorkerDeath {
      try await queue.note(death, of: job.id)
      // A worker that dies at once must not keep the machine busy with nothing else.
      if death.code == 127 { try? await Task.sleep(for: .seconds(1)) }
    } catch {
      queue.logger.warning(
        "job failed", metadata: ["job": "\(job.id)", "reason": "\(error)"])
      try await queue.fail(job.id, WorkerEvent.Failure(error))
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
    return JobAssignment(
      job: job.id, request: request, count: job.count, work: work,
      run: queue.folder.run(of: job.id).path,
      files: files)
  }
}
