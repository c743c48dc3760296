import ArgumentParser

/// What is done with several things one after the other: one that fails is told by its name, and the rest is
/// done nevertheless.
package struct Batch {
  private let total: Int
  private var failed = 0

  /// - Parameter total: the number of things.
  package init(of total: Int) { self.total = total }

  /// Does one of them. Of a single one errors are thrown; what the user stopped is stopped.
  /// - Returns: what `body` does; nil where that failed.
  package mutating func attempt<Result>(
    _ name: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result? {
    do {
      return try await body()
    } catch let error where total > 1 && !(error is CancellationError) {
      switch error as? ExitCode {
      // A batch of its own has told what failed in it.
      case .failure?: break
      case let code?: throw code
      case nil:
        let text = sentence(error)
        Console.error(text.contains(name) ? text : "\(name): \(text)")
      }
      failed += 1
      return nil
    }
  }

  /// Ends the program with status 1 where something failed.
  package func end() throws {
    guard failed > 0 else { return }
    Console.say("\(failed) of \(total) failed.")
    throw ExitCode.failure
  }
}
