import Foundation
import Testing

@testable import Painting

@Suite("Values over steps")
struct ScheduleTests {
  @Test("a number, runs and keyframes have the values they say")
  func values() throws {
    let constant = try #require(Schedule("0.25"))
    #expect([0, 1, 999].map(constant.value) == [0.25, 0.25, 0.25])
    let runs = try #require(Schedule("12*2, 4*3"))
    #expect((0..<7).map(runs.value) == [12, 12, 4, 4, 4, 4, 4])
    let frames = try #require(Schedule("2:1, 6:3,7:-1"))
    #expect((0..<9).map(frames.value) == [1, 1, 1, 1.5, 2, 2.5, 3, -1, -1])
  }

  @Test(
    "what is none is refused",
    arguments: [
      "", "a", "1*", "*3", "1*0", "1*2,3", "1:2,1:3", "4:1,2:1", "-1:2", "1*9999999", "inf",
      "nan*3",
      "1:inf", "1:2*3",
    ])
  func refused(_ text: String) { #expect(Schedule(text) == nil) }

  @Test(
    "its text is read again, in a request's JSON as well",
    arguments: ["0.5", "12*400,4*600", "0:1,50:1.05"])
  func text(_ text: String) throws {
    let schedule = try #require(Schedule(text))
    #expect(schedule.description == text)
    var request = Request("a")
    request.learningRate = schedule
    let data = try JSONEncoder().encode(request)
    #expect(try Request(json: data).learningRate == schedule)
  }

  @Test("values beyond the range are refused with the field's name")
  func range() throws {
    #expect(throws: RequestError.self) {
      try Request(json: Data(#"{"prompt":"a","learningRate":"0.1*5,5000*2"}"#.utf8))
    }
  }
}
