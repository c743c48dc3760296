import ArgumentParser
import Testing
import Training

@testable import reverie

@Suite struct EvaluateTests {
  @Test("options after 'drawers' are those of the drawers, and painting's parameters follow '--'")
  func drawers() throws {
    let words = ["evaluate", "drawers", "--count", "3", "--judge", "j", "--", "--iterations", "5"]
    let command = try #require(try Reverie.parseAsRoot(words) as? EvaluateDrawers)
    #expect(command.count == 3 && command.options.judge == "j")
    #expect(command.parameters == ["--iterations", "5"])
    #expect(throws: (any Error).self) {
      try Reverie.parseAsRoot(["evaluate", "drawers", "--count", "21"])
    }
  }

  @Test("without a word more the pack is evaluated")
  func pack() throws {
    let command = try Reverie.parseAsRoot(["evaluate", "--count", "5"])
    #expect((command as? EvaluatePack)?.count == 5)
    #expect((command as? EvaluatePack)?.phrasing == .known)
    let words = ["evaluate", "--list", "chatter", "--phrasing", "held-out"]
    let worded = try #require(try Reverie.parseAsRoot(words) as? EvaluatePack)
    #expect(worded.lists == [.chatter] && worded.phrasing == .heldOut)
  }
}
