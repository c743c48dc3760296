import ArgumentParser
import Commands
import Foundation
import Painting

/// What is to be painted, written down with every field filled, so that many machines may share it: each task of a
/// Slurm array paints its own, wherever it runs.
struct Plan: Codable {
  /// Pictures of one request.
  struct Task: Codable {
    let request: Request
    let count: Int
    /// What is said of it.
    let title: String
    /// Of a grid, one of each axis.
    let values: [String]
  }

  /// The pack that it was made for.
  let pack: Metadata.PackReference
  /// Of a grid; empty where there is none.
  let axes: [Grid.Axis]
  /// In their order.
  let tasks: [Task]
  /// Where the files lie that requests name, by the SHA-256 of their contents.
  let files: [String: String]

  private static let mostBytes = 64 << 20

  /// - Parameter works: of a grid one, else one a task.
  init(_ works: [Work], _ grid: Grid, _ pack: Pack) throws {
    guard grid.axes.isEmpty || works.count == 1 else {
      throw ValidationError(
        "--plan takes one grid; give its prompts as an axis: --grid 'prompt=a;b'.")
    }
    self.pack = .init(id: pack.manifest.id, version: pack.manifest.version)
    axes = grid.axes
    tasks = works.flatMap { work in
      work.cells.map { cell in
        let labels = zip(grid.axes, cell.values).map { $0.label($1) }.joined(separator: ", ")
        return Task(
          request: cell.request, count: work.count, title: labels.isEmpty ? work.title : labels,
          values: cell.values)
      }
    }
    var files: [String: String] = [:]
    for cell in works.flatMap(\.cells) {
      for reference in cell.request.references {
        files[reference.sha256] = try cell.files.url(reference).absoluteURL.path
      }
    }
    self.files = files
  }

  /// Reads a plan.
  /// - Throws: `ValidationError` where it is none.
  init(contentsOf path: String) throws {
    try FileError.check(path)
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    let data = try file.read(upToCount: Self.mostBytes + 1) ?? Data()
    guard data.count <= Self.mostBytes else {
      throw ValidationError("\(path) is larger than \(Self.mostBytes >> 20) MiB.")
    }
    do {
      self = try JSONDecoder().decode(Plan.self, from: data)
    } catch {
      throw ValidationError("\(path) is no plan. Write one with --plan and without --task.")
    }
    guard !tasks.isEmpty,
      tasks.allSatisfy({ (1...1000).contains($0.count) && $0.values.count == axes.count }),
      axes.allSatisfy({ !$0.values.isEmpty })
    else { throw ValidationError("\(path) is damaged: its tasks do not fit together.") }
    // Bounded before they are multiplied.
    guard
      axes.isEmpty
        || axes.count <= Grid.mostAxes && axes.allSatisfy({ $0.values.count <= tasks.count })
          && tasks.count <= Grid.mostPictures
          && axes.reduce(1, { $0 * $1.values.count }) == tasks.count
    else { throw ValidationError("\(path) is damaged: its grid has not as many cells as tasks.") }
    for task in tasks { try task.request.validate(in: .builtIn) }
  }

  /// Writes it where nothing is yet.
  func write(to path: String) throws {
    guard !FileManager.default.fileExists(atPath: path) else { throw OutputError.exists(path) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(filePath: path), options: .withoutOverwriting)
  }

  /// The files that a task's request names.
  func attachments(_ task: Task) throws -> Attachments {
    var attachments = Attachments()
    for reference in task.request.references {
      guard let path = files[reference.sha256], FileManager.default.fileExists(atPath: path) else {
        throw PaintingError.missingFile(name: reference.name)
      }
      attachments.add(reference, at: URL(filePath: path))
    }
    return attachments
  }

  /// Which of the tasks a text asks for, counted from 0: `3`, the third; `2/8`, those of the second of eight; `all`.
  /// - Throws: `ValidationError`.
  func chosen(_ text: String) throws -> [Int] {
    if text == "all" { return Array(tasks.indices) }
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    if numbers.count == 1, let number = numbers[0], (1...tasks.count).contains(number) {
      return [number - 1]
    }
    if numbers.count == 2, let part = numbers[0], let parts = numbers[1], parts > 0,
      (1...parts).contains(part)
    {
      return tasks.indices.filter { $0 % parts == part - 1 }
    }
    throw ValidationError(
      "--task is from 1 to \(tasks.count), a share such as 2/8, or all, not '\(text.prefix(20))'.")
  }
}

extension Session {
  /// Paints tasks of a plan that the folder of pictures has not yet; all of a grid end in its sheet.
  func run(_ plan: Plan, _ chosen: [Int], pack: String?) async throws {
    let grid = Grid(axes: plan.axes)
    if !plan.axes.isEmpty, chosen.count == plan.tasks.count {
      let cells = try plan.tasks.map { task in
        Grid.Cell(request: task.request, files: try plan.attachments(task), values: task.values)
      }
      return try await run(grid, cells, pack: pack, continues: true)
    }
    let there = try destination.painted(by: engine.pack)
    var batch = Batch(of: chosen.count)
    for index in chosen {
      let task = plan.tasks[index]
      var session = self
      session.heading = "[\(index + 1)/\(plan.tasks.count)] "
      try await batch.attempt(session.heading + task.title) {
        if let file = there[try task.request.key], task.count == 1 {
          if !output.quiet { Console.say("\(session.heading)is there: \(Console.relative(file))") }
          return
        }
        if !output.quiet { Console.say(session.heading + task.title) }
        try await session.run(
          task.request, count: task.count, files: plan.attachments(task), pack: pack)
      }
    }
    try batch.end()
  }
}
