import Foundation
import Imaging
import Painting
import TestSupport
import Testing

/// Plans: what is to be painted, for many machines to share.
@Suite struct PlanTests {
  private static let pack = Result { try TinyPack.make().path }

  private func run(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get()])
  }

  private static let grid = [
    "fox", "--grid", "seed=1,2", "--grid", "method=fft,pixels", "-i", "2", "--cutouts", "2",
    "--size", "32",
  ]

  @Test("tasks of a grid are painted apart as they are together, none twice, and end in its sheet")
  func grid() throws {
    let program = try Program()
    let plan = try run(program, Self.grid + ["--plan", "plan.json"])
    #expect(plan.status == 0 && plan.output == "plan.json\n", "\(plan.errors)")
    #expect(plan.errors.contains("4 tasks"))
    #expect(!FileManager.default.fileExists(atPath: program.folder.appending(path: "o").path))
    func paint(_ task: String) throws -> Program.Result {
      try run(program, ["paint", "--plan", "plan.json", "--task", task, "--outdir", "o"])
    }
    let third = try paint("3")
    #expect(third.status == 0, "\(third.errors)")
    #expect(third.errors.contains("[3/4] seed 1, pixels"))
    let again = try paint("3")
    #expect(again.output.isEmpty && again.errors.contains("is there"))
    let share = try paint("1/2")
    #expect(share.output.split(separator: "\n").count == 1, "the first; the third is there")
    let all = try paint("all")
    #expect(all.status == 0, "\(all.errors)")
    let written = all.output.split(separator: "\n")
    #expect(written.count == 3 && written.last?.hasSuffix("-grid.png") == true)

    let together = try run(program, Self.grid + ["--outdir", "t"])
    func pictures(_ folder: String) throws -> [Data] {
      let root = program.folder.appending(path: folder)
      let files =
        FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?
        .compactMap { $0 as? URL } ?? []
      return try files.filter { $0.pathExtension == "png" && !$0.path.hasSuffix("-grid.png") }
        .map { try Data(contentsOf: $0) }.sorted { $0.lexicographicallyPrecedes($1) }
    }
    #expect(together.status == 0)
    #expect(try pictures("o") == pictures("t") && pictures("o").count == 4)
  }

  @Test("a list with a picture to begin from is a plan, too")
  func list() throws {
    let program = try Program()
    try Picture(width: 32, height: 32, color: .white).write(
      to: program.folder.appending(path: "white.png").path)
    try Data("a fox --seed 1\na cat --seed 2 --init-image white.png\n".utf8).write(
      to: program.folder.appending(path: "list.txt"))
    let plan = try run(
      program,
      [
        "--prompts-from", "list.txt", "--method", "pixels", "-i", "1", "--cutouts", "1", "--size",
        "32", "--plan", "plan.json",
      ])
    #expect(plan.status == 0, "\(plan.errors)")
    let second = try run(program, ["paint", "--plan", "plan.json", "--task", "2", "-o", "cat.png"])
    #expect(second.status == 0 && second.output == "cat.png\n", "\(second.errors)")
    let told = try Metadata(ofPictureAt: program.folder.appending(path: "cat.png").path)
    #expect(told.request.prompt == "a cat" && told.request.initImage != nil)
    try FileManager.default.removeItem(at: program.folder.appending(path: "white.png"))
    let lost = try run(program, ["paint", "--plan", "plan.json", "--task", "2"])
    #expect(lost.status == 1 && lost.errors.contains("white.png"))
  }

  @Test(
    "what cannot be is told in words",
    arguments: [
      (["--task", "1"], "name the plan with --plan"),
      (["--plan", "plan.json", "--task", "3"], "from 1 to 2"),
      (["--plan", "plan.json", "--task", "0/2"], "from 1 to 2"),
      (["--plan", "plan.json", "--task", "99999999999999999999"], "from 1 to 2"),
      (["--plan", "plan.json", "--task", "1", "a fox"], "leave out what else"),
      (["--plan", "plan.json", "--task", "1", "--preset", "draft"], "leave out what else"),
      (["--plan", "damaged.json", "--task", "1"], "has not as many cells as tasks"),
      (["--plan", "none.json", "--task", "1"], "none.json"),
      (["--plan", "plain.json", "--task", "1"], "is no plan"),
      (["--plan", "plan.json", "a fox"], "plan.json"),
    ])
  func refused(_ arguments: [String], _ reason: String) throws {
    let program = try Program()
    try Data("{}".utf8).write(to: program.folder.appending(path: "plain.json"))
    let plan = try run(
      program, ["fox", "--grid", "seed=1,2", "--method", "pixels", "--plan", "plan.json"])
    #expect(plan.status == 0, "\(plan.errors)")
    let written = try String(
      contentsOf: program.folder.appending(path: "plan.json"), encoding: .utf8)
    // One value more than there are tasks.
    let damaged = written.replacing(
      /"values" : \[\s*"1",\s*"2"\s*\]/, with: #""values": ["1", "2", "3"]"#)
    #expect(damaged != written)
    try Data(damaged.utf8).write(to: program.folder.appending(path: "damaged.json"))
    let result = try run(program, ["paint"] + arguments)
    #expect(result.status != 0 && result.errors.contains(reason), "\(result.errors)")
  }
}
